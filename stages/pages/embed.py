"""Pictures inside the page: data URIs, so that the page is complete alone."""

import base64
import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

LOSSLESS = 128  # pixels: below it every level counts and a file is small anyway
QUALITY = 90
EFFORT = 50  # what `quality` means where nothing is lost: 90 takes twice as long for the same bytes


@dataclass(frozen=True)
class Picture:
    """An embedded picture with its words: `caption` is shown, and read aloud."""

    uri: str
    caption: str
    width: int
    height: int


def picture(image_HWC: NDArray[np.uint8], caption: str) -> Picture:
    """uint8 (H, W), RGB or RGBA as an embedded WebP; the same bytes for the same pixels."""
    height, width = image_HWC.shape[:2]
    out = io.BytesIO()
    lossless = max(height, width) <= LOSSLESS
    how = {"lossless": True, "quality": EFFORT, "method": 2} if lossless else {"quality": QUALITY, "method": 4}
    Image.fromarray(image_HWC).save(out, "WEBP", **how)
    return Picture(f"data:image/webp;base64,{base64.b64encode(out.getvalue()).decode()}", caption, width, height)


def masked(image_HWC: NDArray[np.uint8], hole_HW: NDArray[np.bool_], caption: str) -> Picture:
    """The image with a transparent hole, so that the page's own pattern shows through it."""
    visible_HW1 = np.where(hole_HW, 0, 255).astype(np.uint8)[..., None]
    return picture(np.concatenate([image_HWC * (visible_HW1 > 0), visible_HW1], axis=-1), caption)
