"""Files are paired by their relative names: no two names are one, but for an accent that is stored in two ways."""

import unicodedata
from pathlib import Path

import pytest

from stages.contract import UserError
from stages.images.names import beside, distinct, stem_of


def test_names_that_share_a_key_stay_apart() -> None:
    names = ["写真1.png", "照片1.jpg", "img 1.png", "img_1.png", "a/b.png", "a-b.png", "a.b.png", "a_b.PNG"]
    stems = [stem_of(Path(name)) for name in names]
    assert stems == ["写真1", "照片1", "img 1", "img_1", "a/b", "a-b", "a.b", "a_b"]


def test_an_accent_is_one_however_it_is_stored() -> None:
    one, other = (unicodedata.normalize(form, "café.png") for form in ("NFC", "NFD"))
    assert one != other and stem_of(Path(one)) == stem_of(Path(other)) == "café"


def test_a_name_without_an_images_ending_keeps_its_dots() -> None:
    assert stem_of(Path("crop-0.5")) == "crop-0.5"


def test_two_files_of_one_name_are_one_line_that_names_both() -> None:
    paths = [Path("m/a.png"), Path("m/a.jpg")]
    with pytest.raises(UserError, match=r"^m/a\.jpg: a\.png is there already$"):
        distinct(((stem_of(path), path) for path in paths), "is there already")


def test_masks_beside_their_images_are_known_by_both_names() -> None:
    stems = ["x", "x_mask", "y", "y_mask001", "y_mask2", "z_mask", "w", "w_masked"]
    assert beside(stems) == {"x_mask": "x", "y_mask001": "y", "y_mask2": "y"}
