"""Images meet their own masks by name alone, in two folders or beside each other; what is no mask is refused."""

import shutil
import unicodedata
from pathlib import Path

import numpy as np
import pytest

from stages.contract import UserError
from stages.images.files import write_png
from stages.sampling import pairs
from stages.sampling.external.folder import cases

IMAGE_HWC = np.random.default_rng(0).integers(0, 255, (8, 12, 3), dtype=np.uint8)
HOLE_HW = np.zeros((8, 12), dtype=np.uint8)
HOLE_HW[2:5, 3:9] = 255


def folder(root: Path, *names: str) -> Path:
    """A folder of images, and of masks where a name has `mask` in it."""
    for name in names:
        write_png(root / name, HOLE_HW if "mask" in name or root.name == "masks" else IMAGE_HWC)
    return root


def found(images: Path, masks: Path) -> dict[str, tuple[str, str]]:
    return {one.key: (one.image.name, one.mask.name) for one in pairs.pair(images, masks)}


def test_names_that_differ_in_one_character_are_two(tmp_path: Path) -> None:
    names = ("写真1.png", "照片1.png", "img 1.png", "img_1.png")
    images, masks = folder(tmp_path / "images", *names), folder(tmp_path / "masks", *names)
    assert found(images, masks) == {name[:-4]: (name, name) for name in names}
    (masks / "写真1.png").unlink()
    with pytest.raises(UserError, match=r"no mask named 写真1\.\* \(1 of 4 images have none\)"):
        pairs.pair(images, masks)


def test_an_accent_pairs_however_it_is_stored(tmp_path: Path) -> None:
    one, other = (unicodedata.normalize(form, "é.png") for form in ("NFC", "NFD"))
    images, masks = folder(tmp_path / "images", one), folder(tmp_path / "masks", other)
    assert found(images, masks) == {"é": (one, other)}
    folder(tmp_path / "results", other)
    assert [case.key for case in cases(tmp_path / "results", images, masks)] == ["é"]


def test_hidden_files_and_folders_named_as_images_are_none(tmp_path: Path) -> None:
    images, masks = folder(tmp_path / "images", "a.png", "._a.png"), folder(tmp_path / "masks", "a.png")
    (images / "b.png").mkdir()
    assert found(images, masks) == {"a": ("a.png", "a.png")}


def test_masks_beside_their_images_are_read(tmp_path: Path) -> None:
    both = folder(tmp_path, "x.png", "x_mask001.png", "y.jpg.png", "y.jpg_mask.png")
    expected = {"x": ("x.png", "x_mask001.png"), "y.jpg": ("y.jpg.png", "y.jpg_mask.png")}
    assert found(both, both) == expected
    (tmp_path.parent / "link").symlink_to(tmp_path)
    assert found(both, tmp_path.parent / "link") == expected
    assert found(both / "x.png", both) == {"x": expected["x"]}


def test_each_of_an_images_masks_is_a_picture_to_complete(tmp_path: Path) -> None:
    both = folder(tmp_path, "x.png", "x_mask000.png", "x_mask001.png", "y.png", "y_mask.png")
    assert found(both, both) == {
        "x_mask000": ("x.png", "x_mask000.png"),
        "x_mask001": ("x.png", "x_mask001.png"),
        "y": ("y.png", "y_mask.png"),
    }


def test_results_named_as_their_masks_are_those_of_their_images(tmp_path: Path) -> None:
    both = folder(tmp_path / "both", "x.png", "x_mask001.png", "y.png", "y_mask001.png")
    named = folder(tmp_path / "results", "x_mask001.png", "y_mask001.png")
    told = {case.key: (case.image.name, case.completions[0].name) for case in cases(named, both, both)}
    assert told == {"x_mask001": ("x.png", "x_mask001.png"), "y_mask001": ("y.png", "y_mask001.png")}
    plain = folder(tmp_path / "plain", "x.png", "y.png")
    assert [case.key for case in cases(plain, both, both)] == ["x", "y"]


def test_an_image_beside_others_masks_that_has_none_is_one_line(tmp_path: Path) -> None:
    both = folder(tmp_path, "x.png", "x_mask.png", "z.png")
    with pytest.raises(UserError, match=r"no mask named z_mask\.\* \(1 of 2 images have none\)"):
        pairs.pair(both, both)


def test_an_image_is_not_its_own_mask(tmp_path: Path) -> None:
    images = folder(tmp_path / "images", "a.png", "b.png")
    with pytest.raises(UserError, match=r"images and masks are one folder, and no x_mask\.png .* name the folder of"):
        pairs.pair(images, images)
    shutil.copytree(images, tmp_path / "copy")
    for masks in (images / "a.png", tmp_path / "copy"):
        one = pairs.pair(images, masks)[0]
        with pytest.raises(UserError, match=r"a\.png: the mask is the image itself; name its mask, white in the hole"):
            pairs.opened(one, "white")


def test_levels_are_named_where_a_mask_has_no_hole(tmp_path: Path) -> None:
    write_png(tmp_path / "i.png", IMAGE_HWC)
    write_png(tmp_path / "m.png", HOLE_HW // 100 + HOLE_HW // 255)
    with pytest.raises(UserError, match=r"m\.png: its levels are 0 and 3, both on one side of 127; write 0 and 255"):
        pairs.opened(pairs.Pair("i", tmp_path / "i.png", tmp_path / "m.png"), "white")
    write_png(tmp_path / "m.png", np.arange(96, dtype=np.uint8).reshape(8, 12) // 32)
    with pytest.raises(UserError, match=r"m\.png: no hole in it; .*; its levels are 0 and 1 and 2, not 0 and 255"):
        pairs.opened(pairs.Pair("i", tmp_path / "i.png", tmp_path / "m.png"), "white")
