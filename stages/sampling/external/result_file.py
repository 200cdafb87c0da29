"""What a result's file must be: an 8-bit RGB PNG, or a JPEG where results are raw.

Anything else would be converted, and the number be another one. A JPEG changes known pixels too, and moves scores: it
is marked on the card.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from stages.contract import UserError
from stages.images.files import read_rgb
from stages.images.pixels import Uint8

DEPTH_AT = 24  # of the bit depth in a PNG: after the signature (8), IHDR's length and name (8), width and height (8)


@dataclass(frozen=True)
class Header:
    """What a file tells before its pixels: (height, width), and whether pixels are as they were computed."""

    shape: tuple[int, int]
    lossy: bool


def header(path: Path, kind: str) -> Header:
    """Of a result of that kind (raw, composited); UserError names the file, what is wrong with it, and the mend."""
    if not path.stat().st_size:
        raise UserError(f"{path}: empty file (0 bytes); write it again")
    try:
        with Image.open(path) as image:
            _refuse_other_kinds(path, image, kind)
            return Header((image.height, image.width), image.format == "JPEG")
    except (OSError, ValueError, Image.DecompressionBombError, SyntaxError) as error:  # what PIL raises on broken data
        raise UserError(f"{path}: not a readable image; write it again as PNG") from error


def _refuse_other_kinds(path: Path, image: Image.Image, kind: str) -> None:
    if image.format != "PNG" and (image.format != "JPEG" or kind != "raw"):
        allowed = "JPEG only where they are raw" if image.format == "JPEG" else "lossy files move every score"
        raise UserError(f"{path}: a {image.format} file; results must be PNG ({allowed})")
    with path.open("rb") as file:
        depth = file.read(DEPTH_AT + 1)[DEPTH_AT]
    if image.format == "PNG" and depth == 16:  # of RGB, PIL itself would keep 8 bits without a word
        raise UserError(f"{path}: 16 bits a channel; write 8-bit RGB")
    if image.mode != "RGB" or "transparency" in image.info:
        mode = f"mode {image.mode}" + (" with transparency" if "transparency" in image.info else "")
        raise UserError(f"{path}: {mode}; write 8-bit RGB without transparency")


def read(paths: tuple[Path, ...]) -> Uint8:
    """An image's completions, (K, H, W, 3); UserError where a file is damaged."""
    return np.stack([read_rgb(path) for path in paths])
