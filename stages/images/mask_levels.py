"""Which pixels of a mask picture are its hole, and what was seen in it that a mask does not have."""

from dataclasses import dataclass

from stages.contract import UserError
from stages.images.levels import Level, Levels, levels_of
from stages.images.pixels import Bool, Uint8


@dataclass(frozen=True)
class Mask:
    """hole_HW is True where a pixel is missing; `remark` tells what the person should know, None where all is plain."""

    hole_HW: Bool
    remark: str | None = None


def mask_of(picture_HWC: Uint8, hole: str, name: str) -> Mask:
    """A mask picture `name`, RGB or RGBA (H, W, 3 or 4), by its levels; `hole` declares the colour of its hole.

    UserError as `levels_of`, or for a hole of another colour.
    """
    if hole not in set(Level):
        raise UserError(f"hole: {hole!r}: the hole of a mask file is white or black")
    levels = levels_of(picture_HWC, name)
    if levels.ink:
        return _of_strokes(levels, hole)
    return Mask(levels.white_HW if hole == "white" else ~levels.white_HW, levels.remark)


def _of_strokes(levels: Levels, hole: str) -> Mask:
    """What is drawn is the hole, unless it is drawn in white where holes are declared black."""
    drawn_HW = levels.white_HW if levels.ink == "white" else ~levels.white_HW
    kept = levels.ink == "white" and hole == "black"
    told = "what is not drawn" if kept else "what is drawn"
    remark = f"only its transparency tells parts apart: {told} is read as the hole"
    return Mask(~drawn_HW if kept else drawn_HW, remark)
