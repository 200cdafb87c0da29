"""The built-in photographs: no pixel, and of a stereo pair no scene point, is in two splits."""

from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from stages.images.layouts import photographs
from stages.images.layouts.photographs import Crop, Params, regions
from stages.images.sources.item import Item


@pytest.fixture(scope="module")
def crops() -> list[Item]:
    return photographs.items(Params(layout="photographs", size=64))


@given(some.integers(64, 900), some.integers(64, 900), some.booleans())
def test_regions_cover_a_photograph_once(height: int, width: int, rows: bool) -> None:
    seen_HW = np.zeros((height, width), dtype=int)
    for r in regions(height, width, rows).values():
        seen_HW[r.top : r.top + r.height, r.left : r.left + r.width] += 1
    assert (seen_HW == 1).all()


def test_no_pixel_is_in_two_splits(crops: list[Item]) -> None:
    owners: dict[tuple[str, str], np.ndarray] = defaultdict(lambda: np.zeros((1500, 1500), dtype=bool))
    for crop in crops:
        assert isinstance(crop, Crop)
        w = crop.window
        owners[crop.path.stem, crop.split][w.top : w.top + w.height, w.left : w.left + w.width] = True
    for stem in {stem for stem, _ in owners}:
        assert not (owners[stem, "train"] & owners[stem, "test"]).any()
        assert not (owners[stem, "train"] & owners[stem, "val"]).any()
        assert not (owners[stem, "val"] & owners[stem, "test"]).any()


def test_a_stereo_pair_is_one_source_cut_along_rows(crops: list[Item]) -> None:
    pair = [crop for crop in crops if isinstance(crop, Crop) and crop.source == "motorcycle"]
    assert {crop.path.stem for crop in pair} == {"motorcycle_left", "motorcycle_right"}
    assert {crop.split for crop in pair if crop.path.stem == "motorcycle_right"} == {"train"}
    lowest = max(crop.window.top + crop.window.height for crop in pair if crop.split == "train")
    assert lowest <= min(crop.window.top for crop in pair if crop.split != "train")


def test_there_is_enough_of_each_split_from_every_photograph(crops: list[Item]) -> None:
    counts = Counter(crop.split for crop in crops)
    assert counts["train"] >= 3000 and counts["val"] >= 60 and counts["test"] >= 384
    assert {c.source for c in crops if c.split == "test"} == {c.source for c in crops if c.split == "train"}
    first = [crop.source for crop in crops if crop.split == "test"][:16]
    assert len(set(first)) == 16  # the first of each before the second of any


def test_crops_are_real_and_never_enlarged(crops: list[Item]) -> None:
    assert len({crop.name for crop in crops}) == len(crops)
    for crop in crops[::97]:
        image_HWC = crop.image(10**6)
        assert image_HWC.shape[0] == image_HWC.shape[1] >= 64
        assert image_HWC.std() > 4
