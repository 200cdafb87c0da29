"""Image and mask files, any that defines an RGB picture, as uint8 RGB and holes; pictures as PNG.

Mask files are white in the hole unless it is declared otherwise.
"""

import io
import warnings
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from stages.contract import UserError
from stages.images.pixels import Bool, Uint8
from stages.project.files import write_bytes

MAX_PIXELS = 89_478_485  # 256 MiB of RGB: PIL's own mark of a decompression bomb
THRESHOLD = 127  # a mask pixel above it is white; conventions of LaMa, IOPaint, diffusers


class Hole(StrEnum):
    """The colour of a hole in mask files."""

    white = "white"
    black = "black"


def read_rgb(path: Path, limit: int = MAX_PIXELS) -> Uint8:
    """An image file as upright uint8 RGB (H, W, 3); UserError with the reason where that is not defined."""
    try:
        return decode_rgb(path.read_bytes(), limit)
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: {error}; give a readable image file") from error


def read_hole(path: Path, hole: str = "white") -> Bool:
    """A mask file as hole_HW (True = missing), thresholded at 127; `hole` declares the colour of its hole."""
    return hole_of(read_rgb(path), hole)


def hole_of(mask_HWC: Uint8, hole: str) -> Bool:
    """A mask picture as hole_HW (True = missing)."""
    if hole not in set(Hole):
        raise UserError(f"hole: {hole!r}: the hole of a mask file is white or black")
    white_HW = mask_HWC.sum(axis=-1, dtype=np.int32) > 3 * THRESHOLD
    return white_HW if hole == "white" else ~white_HW


def write_png(path: Path, image_HWC: Uint8) -> None:
    """uint8 RGB (H, W, 3) or grey (H, W) as a PNG that is there whole or not at all."""
    write_bytes(path, encode_png(image_HWC))


def encode_png(image_HWC: Uint8) -> bytes:
    """uint8 RGB (H, W, 3) or grey (H, W) as the bytes of a PNG; the same bytes for the same pixels."""
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image_HWC)).save(buffer, format="PNG")
    return buffer.getvalue()


def decode_rgb(data: bytes, limit: int = MAX_PIXELS) -> Uint8:
    """An encoded image as upright uint8 RGB (H, W, 3).

    Grey, palette, CMYK and 16-bit grey are converted; transparency is laid on white. ValueError tells why an image
    cannot be had: empty, not an image, truncated, more than `limit` pixels, or a mode without a defined RGB.
    """
    if not data:
        raise ValueError("empty file")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # `limit` decides, before anything is decoded
        try:
            with Image.open(io.BytesIO(data)) as image:
                _guard(image, limit)
                return np.array(_upright_rgb(image), dtype=np.uint8)  # a copy: PIL lends a read-only one
        except UnidentifiedImageError as error:
            raise ValueError("not an image") from error
        except Image.DecompressionBombError as error:
            raise ValueError(f"oversized: over the limit of {limit} pixels") from error
        except (OSError, SyntaxError, EOFError) as error:  # what PIL's decoders raise on broken data
            raise ValueError(f"unreadable: {error}") from error


def _guard(image: Image.Image, limit: int) -> None:
    width, height = image.size
    if width * height > limit:
        raise ValueError(f"oversized: {width} x {height} is over the limit of {limit} pixels")


def _upright_rgb(image: Image.Image) -> Image.Image:
    upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith("I"):
        return Image.fromarray(_eight_bit(np.asarray(upright))).convert("RGB")
    if upright.mode in {"RGBA", "LA", "PA"} or "transparency" in upright.info:
        opaque = upright.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", opaque.size, "white"), opaque).convert("RGB")
    if upright.mode not in {"RGB", "L", "1", "P", "CMYK", "YCbCr"}:
        raise ValueError(f"no defined RGB for mode {upright.mode}")
    return upright.convert("RGB")


def _eight_bit(grey_HW: NDArray[np.integer]) -> Uint8:
    if grey_HW.min() < 0 or grey_HW.max() > 65535:
        raise ValueError("no defined RGB for grey values outside 16 bits")
    return np.round(grey_HW / 257.0).astype(np.uint8)
