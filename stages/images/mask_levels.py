"""Which pixels of a mask picture are its hole, and what was seen in it that a mask does not have."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from stages.contract import UserError
from stages.images.pixels import Bool, Uint8

THRESHOLD = 127  # a mask pixel above it is white; conventions of LaMa, IOPaint, diffusers
NAMED = 4  # so many levels are told one by one


class Hole(StrEnum):
    """The colour of a hole in mask files."""

    white = "white"
    black = "black"


@dataclass(frozen=True)
class Mask:
    """hole_HW is True where a pixel is missing; `remark` tells what the person should know, None where all is plain."""

    hole_HW: Bool
    remark: str | None = None


def mask_of(picture_HWC: Uint8, hole: str, name: str) -> Mask:
    """A mask picture `name`, RGB or RGBA (H, W, 3 or 4), thresholded at 127; `hole` declares the colour of its hole.

    Transparent parts are white paper where colours can be told apart on what is drawn. Where they cannot (strokes of
    one colour on a transparent ground) the alpha channel is the drawing.
    """
    if hole not in set(Hole):
        raise UserError(f"hole: {hole!r}: the hole of a mask file is white or black")
    if picture_HWC.shape[-1] == 3 or picture_HWC[..., 3].min() == 255:
        return _of_colour(picture_HWC[..., :3], hole, name)
    rgb_HWC, alpha_HW = picture_HWC[..., :3], picture_HWC[..., 3]
    drawn_HW = alpha_HW > THRESHOLD
    inks_N = _white(rgb_HWC)[drawn_HW]
    if inks_N.all() or not inks_N.any():
        return _of_alpha(drawn_HW, hole, white=bool(inks_N.any()))
    told = _of_colour(_on_white(rgb_HWC, alpha_HW), hole, name)
    return Mask(told.hole_HW, "; ".join(["transparent parts are read as white", *filter(None, [told.remark])]))


def _of_colour(rgb_HWC: Uint8, hole: str, name: str) -> Mask:
    """UserError where there are two levels, and the threshold is not between them: a mask of 0 and 1."""
    white_HW = _white(rgb_HWC)
    levels = np.flatnonzero(np.bincount(rgb_HWC.sum(axis=-1, dtype=np.int32).ravel())) / 3
    remark = None
    if not np.isin(levels, (0, 255)).all():
        remark = f"its levels are {_told(levels)}, not 0 and 255: those above {THRESHOLD} count as white"
        if len(levels) == 2 and white_HW.any() == white_HW.all():
            raise UserError(f"{name}: its levels are {_told(levels)}, both on one side of {THRESHOLD}; write 0 and 255")
    return Mask(white_HW if hole == "white" else ~white_HW, remark)


def _white(rgb_HWC: Uint8) -> Bool:
    return rgb_HWC.sum(axis=-1, dtype=np.int32) > 3 * THRESHOLD


def _on_white(rgb_HWC: Uint8, alpha_HW: Uint8) -> Uint8:
    share_HW1 = alpha_HW[..., None] / 255.0
    return np.round(rgb_HWC * share_HW1 + 255 * (1 - share_HW1)).astype(np.uint8)


def _of_alpha(drawn_HW: Bool, hole: str, white: bool) -> Mask:
    """What is drawn is the hole, unless it is drawn in white where holes are declared black."""
    kept = white and hole == "black"
    told = "what is not drawn" if kept else "what is drawn"
    remark = f"only its transparency tells parts apart: {told} is read as the hole"
    return Mask(~drawn_HW if kept else drawn_HW, remark)


def _told(levels: NDArray[np.float64]) -> str:
    if len(levels) > NAMED:
        return f"{levels[0]:.0f} to {levels[-1]:.0f} ({len(levels)} of them)"
    return " and ".join(f"{level:.0f}" for level in levels)
