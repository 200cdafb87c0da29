"""What the page asks: a picture and a mask, as encoded pictures, and how they are to be completed."""

from __future__ import annotations

from pydantic import Base64Bytes, BaseModel, Field

from stages.contract import UserError
from stages.images import files, originals
from stages.images.mask_levels import Mask, mask_of
from stages.images.originals import Original
from stages.project.seeds import LARGEST
from stages.sampling import pairs
from stages.sampling.windows import WindowKind

MOST = 16  # completions at once: as many as a page shows beside each other
PIXELS = 16_000_000  # of a picture: what a browser still paints on without delay
HOLE = "white"


class Asked(BaseModel):
    """K completions of one picture; `temperature` None: as params.yaml has it."""

    image: Base64Bytes
    mask: Base64Bytes
    entry: str
    nsampling: int = Field(default=4, ge=1, le=MOST)
    seed: int = Field(default=0, ge=0, le=LARGEST - MOST)
    temperature: float | None = None
    window: WindowKind = WindowKind.whole


def picture(data: bytes) -> Original:
    """The picture; UserError where it cannot be read, or is too large for the page."""
    original = pairs.decoded(originals.decode, data, "the picture", "give a PNG, JPEG, WebP or TIFF")
    height, width = original.own_HWC.shape[:2]
    if height * width > PIXELS:
        told = f"{width} x {height} pixels, and this page takes {PIXELS // 1_000_000} million at most"
        raise UserError(f"the picture: {told}; make it smaller, or use plurifill inpaint")
    return original


def pair(asked: Asked) -> tuple[Original, Mask, list[str]]:
    """The picture, its mask, and what the person should know of them; UserError where they do not fit."""
    original = picture(asked.image)
    mask = mask_of(pairs.decoded(files.decode, asked.mask, "the hole", "paint it again"), HOLE, "the hole")
    pairs.refuse_unfit(original, mask, "the picture", "the hole", "paint over a part of the picture")
    return original, mask, pairs.remarks(original, mask, "the picture", "the hole")
