"""A picture that people draw in two levels (a mask, an edge map) read as white and black."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from stages.contract import UserError
from stages.images.pixels import Bool, Uint8

THRESHOLD = 127  # a pixel above it is white; conventions of LaMa, IOPaint, diffusers
NAMED = 4  # so many levels are told one by one


class Level(StrEnum):
    """Which of the two is meant: the hole of a mask, the edges of an edge map."""

    white = "white"
    black = "black"


@dataclass(frozen=True)
class Levels:
    """white_HW is True where a pixel is white; `remark` tells what the person should know, None where all is plain.

    `ink` is the colour of strokes (white, black) on a transparent ground where nothing else tells parts apart: the
    ground then counts as the other colour. None where colours tell.
    """

    white_HW: Bool
    remark: str | None = None
    ink: str | None = None


def levels_of(picture_HWC: Uint8, name: str) -> Levels:
    """A picture `name`, RGB or RGBA (H, W, 3 or 4), thresholded at 127.

    Transparent parts are white paper where colours can be told apart on what is drawn. Where they cannot (strokes of
    one colour on a transparent ground) the alpha channel is the drawing.
    """
    if picture_HWC.shape[-1] == 3 or picture_HWC[..., 3].min() == 255:
        return _of_colour(picture_HWC[..., :3], name)
    rgb_HWC, alpha_HW = picture_HWC[..., :3], picture_HWC[..., 3]
    drawn_HW = alpha_HW > THRESHOLD
    inks_N = _white(rgb_HWC)[drawn_HW]
    if inks_N.all() or not inks_N.any():
        return Levels(drawn_HW, ink="white") if inks_N.any() else Levels(~drawn_HW, ink="black")
    told = _of_colour(_on_white(rgb_HWC, alpha_HW), name)
    return Levels(told.white_HW, "; ".join(["transparent parts are read as white", *filter(None, [told.remark])]))


def _of_colour(rgb_HWC: Uint8, name: str) -> Levels:
    """UserError where there are two levels, and the threshold is not between them: a drawing of 0 and 1."""
    white_HW = _white(rgb_HWC)
    levels = np.flatnonzero(np.bincount(rgb_HWC.sum(axis=-1, dtype=np.int32).ravel())) / 3
    remark = None
    if not np.isin(levels, (0, 255)).all():
        remark = f"its levels are {_told(levels)}, not 0 and 255: those above {THRESHOLD} count as white"
        if len(levels) == 2 and white_HW.any() == white_HW.all():
            raise UserError(f"{name}: its levels are {_told(levels)}, both on one side of {THRESHOLD}; write 0 and 255")
    return Levels(white_HW, remark)


def _white(rgb_HWC: Uint8) -> Bool:
    return rgb_HWC.sum(axis=-1, dtype=np.int32) > 3 * THRESHOLD


def _on_white(rgb_HWC: Uint8, alpha_HW: Uint8) -> Uint8:
    share_HW1 = alpha_HW[..., None] / 255.0
    return np.round(rgb_HWC * share_HW1 + 255 * (1 - share_HW1)).astype(np.uint8)


def _told(levels: NDArray[np.float64]) -> str:
    if len(levels) > NAMED:
        return f"{levels[0]:.0f} to {levels[-1]:.0f} ({len(levels)} of them)"
    return " and ".join(f"{level:.0f}" for level in levels)
