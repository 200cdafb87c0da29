"""Near means the same picture: also on white, where every ground is like every other."""

import itertools
import tempfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from stages.images.appearance import PICTURES, Appearances, appearance_of, bits, content_of
from stages.images.duplicates import HeldOut
from stages.images.pixels import Uint8
from tests.images.conftest import picture

NEAR = 8


def near(one: Uint8, other: Uint8) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        held_out = HeldOut(NEAR, Path(folder) / "thumbnails.bin")
        held_out.add("k", "test", appearance_of(other))
        return held_out.duplicate_of(appearance_of(one)) is not None


def thing(seed: int, colour: Uint8 | None = None) -> Uint8:
    """A disc or a box in the middle of 160 x 160 of white, painted, or of one colour."""
    rng = np.random.default_rng(seed)
    shape_HW = np.zeros((160, 160), dtype=np.uint8)
    half, tall = (int(side) for side in rng.integers(20, 50, 2))
    if seed % 2:
        cv2.circle(shape_HW, (80, 80), half, 1, -1)
    else:
        cv2.rectangle(shape_HW, (80 - half, 80 - tall), (80 + half, 80 + tall), 1, -1)
    inside_HWC = picture(seed, 160, 160) if colour is None else colour
    return np.where(shape_HW[..., None] == 1, inside_HWC, 255).astype(np.uint8)


def jpeg(image_HWC: Uint8) -> Uint8:
    return np.asarray(cv2.imdecode(cv2.imencode(".jpg", image_HWC, [cv2.IMWRITE_JPEG_QUALITY, 70])[1], 1), np.uint8)


COPIES: dict[str, Callable[[Uint8], Uint8]] = {
    "same": lambda a: a,
    "jpeg": jpeg,
    "half": lambda a: np.asarray(cv2.resize(a, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8),
    "cropped by 2 %": lambda a: a[a.shape[0] // 50 : -(a.shape[0] // 50), a.shape[1] // 50 : -(a.shape[1] // 50)],
    "darker": lambda a: (a * 0.95).astype(np.uint8),
}


def test_a_red_disc_and_a_blue_box_are_not_near() -> None:
    red, blue = (np.full((200, 200, 3), 255, dtype=np.uint8) for _ in range(2))
    cv2.circle(red, (100, 100), 30, (255, 0, 0), -1)
    cv2.rectangle(blue, (75, 75), (125, 125), (0, 0, 255), -1)
    assert not near(red, blue) and near(red, jpeg(red)) and near(blue, jpeg(blue))


def near_pairs(ones: list[Uint8]) -> list[tuple[int, int]]:
    appearances = [appearance_of(one) for one in ones]
    hashes_N = np.array([one.dhash for one in appearances], dtype=np.uint64)
    columns = Appearances(*(np.stack([getattr(one, name) for one in appearances]) for name in ("telling", *PICTURES)))
    near_NN = [(bits(hashes_N, one) <= NEAR) & np.isfinite(columns.levels(one)) for one in appearances]
    return [(i, int(j)) for i, near_N in enumerate(near_NN) for j in np.flatnonzero(near_N)]


def test_of_hundred_things_on_white_no_two_are_near() -> None:
    assert near_pairs([thing(seed) for seed in range(100)]) == [(i, i) for i in range(100)]


def test_colours_tell_things_of_one_shape_apart() -> None:
    colours = [np.array(levels, dtype=np.uint8) for levels in itertools.product((0, 128), repeat=3)]
    for shape in range(10):
        assert near_pairs([thing(shape, colour) for colour in colours]) == [(i, i) for i in range(len(colours))]


@pytest.mark.parametrize("copy", COPIES)
def test_copies_are_near(copy: str) -> None:
    photographs = [picture(seed, 200, 240) for seed in range(20)]
    found = [near(COPIES[copy](one), one) for one in (*photographs, *(thing(seed) for seed in range(20)))]
    assert all(found)


def test_one_colour_gives_nothing_to_go_by() -> None:
    greys = [np.full((40, 40, 3), level, dtype=np.uint8) for level in (250, 251, 255)]
    assert not any(near(one, other) for one, other in itertools.combinations(greys, 2)) and near(greys[0], greys[0])


def test_near_is_mutual() -> None:
    first = [*(thing(seed) for seed in range(12)), picture(3)]
    ones = [*first, *map(jpeg, first)]
    assert all(near(one, other) == near(other, one) for one, other in itertools.combinations(ones, 2))


@pytest.mark.parametrize("height", [40, 300])
def test_content_is_what_the_ground_surrounds(height: int) -> None:
    ground_HWC = np.full((height, 200, 3), (250, 248, 255), dtype=np.uint8)
    assert content_of(ground_HWC).shape == ground_HWC.shape
    ground_HWC[height // 4 : height // 2, 50:80] = (0, 90, 0)
    found_HWC = content_of(ground_HWC)
    spare = 2 * (1 + max(height, 200) // 128)  # pixels of the reduced picture at either side
    assert 0 <= found_HWC.shape[0] - (height // 2 - height // 4) <= spare and 0 <= found_HWC.shape[1] - 30 <= spare
    assert (found_HWC == (0, 90, 0)).all(axis=-1).sum() == (height // 2 - height // 4) * 30
    whole = picture(1, height, 200)
    assert content_of(whole).shape == whole.shape


@pytest.mark.parametrize("shape", [(1, 1), (1, 400), (400, 1), (3, 5), (16, 40000)])
def test_any_shape_has_an_appearance(shape: tuple[int, int]) -> None:
    image_HWC = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    assert near(image_HWC, image_HWC)
