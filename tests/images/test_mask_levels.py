"""A mask picture has the hole that a person sees in it, and what it has beyond two levels is told."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stages.contract import UserError
from stages.images import files
from stages.images.mask_levels import mask_of

STROKES_HW = np.zeros((8, 8), dtype=bool)
STROKES_HW[2:5, 1:7] = True
INK = {"white": 255, "black": 0}


def strokes(ink: int, hidden: int) -> np.ndarray:
    """Opaque strokes on a transparent ground; `hidden` is the colour that nobody sees there."""
    picture_HWC = np.full((8, 8, 4), hidden, dtype=np.uint8)
    picture_HWC[STROKES_HW] = ink
    picture_HWC[..., 3] = STROKES_HW * 255
    return picture_HWC


@pytest.mark.parametrize("hidden", [0, 255])
@pytest.mark.parametrize(
    ("ink", "hole", "drawn"),
    [("white", "white", True), ("black", "white", True), ("black", "black", True), ("white", "black", False)],
)
def test_strokes_on_a_transparent_ground_are_the_drawing(ink: str, hole: str, drawn: bool, hidden: int) -> None:
    mask = mask_of(strokes(INK[ink], hidden), hole, "m.png")
    assert np.array_equal(mask.hole_HW, drawn == STROKES_HW)
    assert mask.remark == (
        "only its transparency tells parts apart: "
        f"{'what is drawn' if drawn else 'what is not drawn'} is read as the hole"
    )


@pytest.mark.parametrize("hole", ["white", "black"])
def test_where_colours_are_told_apart_on_what_is_drawn_they_count(hole: str) -> None:
    picture_HWC = np.zeros((8, 8, 4), dtype=np.uint8)
    picture_HWC[STROKES_HW, :3] = 255
    picture_HWC[:6, :, 3] = 255  # black and white are drawn; two rows of nothing
    white_HW = STROKES_HW.copy()
    white_HW[6:] = True
    mask = mask_of(picture_HWC, hole, "m.png")
    assert np.array_equal(mask.hole_HW, white_HW if hole == "white" else ~white_HW)
    assert mask.remark == "transparent parts are read as white"


def test_an_opaque_alpha_channel_changes_nothing() -> None:
    grey_HW = np.where(STROKES_HW, 255, 0).astype(np.uint8)
    opaque_HWC = np.dstack([grey_HW] * 3 + [np.full((8, 8), 255, dtype=np.uint8)])
    for hole in ("white", "black"):
        mask = mask_of(opaque_HWC, hole, "m.png")
        assert np.array_equal(mask.hole_HW, mask_of(opaque_HWC[..., :3], hole, "m.png").hole_HW) and not mask.remark


def test_an_empty_sheet_has_no_hole() -> None:
    for hole in ("white", "black"):
        assert not mask_of(np.zeros((8, 8, 4), dtype=np.uint8), hole, "m.png").hole_HW.any()


def grey(*levels: int) -> np.ndarray:
    return np.resize(np.array(levels, dtype=np.uint8), (8, 8))[..., None].repeat(3, axis=-1)


@pytest.mark.parametrize(
    ("levels", "told"),
    [
        ((0, 255), None),
        ((0,), None),
        ((255,), None),
        ((0, 200), "its levels are 0 and 200, not 0 and 255: those above 127 count as white"),
        ((0, 3, 255), "its levels are 0 and 3 and 255, not"),
        ((0, 3, 7, 249, 255), r"its levels are 0 to 255 \(5 of them\), not"),
    ],
)
def test_levels_beyond_two_are_named(levels: tuple[int, ...], told: str | None) -> None:
    mask = mask_of(grey(*levels), "white", "m.png")
    assert np.array_equal(mask.hole_HW, grey(*levels)[..., 0] > 127)
    assert mask.remark is None if told is None else re.match(told, str(mask.remark))


@pytest.mark.parametrize("hole", ["white", "black"])
@pytest.mark.parametrize("levels", [(0, 1), (0, 100), (254, 255)])
def test_two_levels_that_the_threshold_cannot_tell_apart_are_refused(levels: tuple[int, int], hole: str) -> None:
    with pytest.raises(UserError, match=f"^m.png: its levels are {levels[0]} and {levels[1]}, both on one side"):
        mask_of(grey(*levels), hole, "m.png")


def test_files_are_read_alike_whatever_holds_the_transparency(tmp_path: Path) -> None:
    Image.fromarray(strokes(255, 0)).save(tmp_path / "rgba.png")
    Image.fromarray(strokes(255, 0)).convert("LA").save(tmp_path / "la.png")
    index_HW = np.where(STROKES_HW, 1, 0).astype(np.uint8)
    palette = Image.fromarray(index_HW, mode="P")
    palette.putpalette([255] * 6)
    palette.save(tmp_path / "palette.png", transparency=0)
    for name in ("rgba", "la", "palette"):
        assert np.array_equal(files.read_hole(tmp_path / f"{name}.png"), STROKES_HW), name
    photo_HW = np.where(STROKES_HW, 255, 0).astype(np.uint8)
    Image.fromarray(photo_HW).save(tmp_path / "m.jpg", quality=60)
    assert str(files.read_mask(tmp_path / "m.jpg").remark).startswith("its levels are ")
