"""Pixels at the edges (uint8 RGB, files) and inside (float32 in [-1, 1], B C H W): every conversion, stated once.

`known_B1HW` is 1 where a pixel is given; `hole_HW` is True where it is missing. Mask files are white in the hole.
"""

import io
import os
import warnings
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from stages.contract import UserError

MAX_PIXELS = 89_478_485  # 256 MiB of RGB: PIL's own mark of a decompression bomb
THRESHOLD = 127  # a mask pixel above it is white; conventions of LaMa, IOPaint, diffusers

Uint8 = NDArray[np.uint8]
Bool = NDArray[np.bool_]


def to_float(image_BHWC: Tensor | Uint8) -> Tensor:
    """uint8 RGB (B, H, W, 3) as float32 (B, 3, H, W) in [-1, 1], a batch at a time."""
    image_BCHW = torch.as_tensor(image_BHWC).permute(0, 3, 1, 2)
    return image_BCHW.contiguous().to(torch.float32).div_(127.5).sub_(1.0)


def to_uint8(image_BCHW: Tensor) -> Tensor:
    """[-1, 1] as uint8 RGB (B, H, W, 3): clamped, rounded to the nearest level; the inverse of `to_float`."""
    levels_BCHW = image_BCHW.float().add(1.0).mul_(127.5).clamp_(0, 255).round_()
    return levels_BCHW.to(torch.uint8).permute(0, 2, 3, 1).contiguous()


def blank(image_BCHW: Tensor, known_B1HW: Tensor) -> Tensor:
    """The image with its hole at 0 (mid-grey). A choice and not a product, so that not even a NaN comes through."""
    return torch.where(known_B1HW > 0, image_BCHW, torch.zeros((), dtype=image_BCHW.dtype, device=image_BCHW.device))


def composite(raw_BCHW: Tensor, image_BCHW: Tensor, known_B1HW: Tensor) -> Tensor:
    """Known pixels from the image, the hole from the raw completion; known pixels are bitwise the image's."""
    return torch.where(known_B1HW > 0, image_BCHW, raw_BCHW)


def shrink_masked(image_BCHW: Tensor, known_B1HW: Tensor, size: int | tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Area resize to `size` that no hole content can enter.

    A small pixel is known only where all pixels of its area are, so an average over known pixels is the plain
    one there; everywhere else the image is blank. Returns (image (B, C, h, w), known (B, 1, h, w) of 0 and 1).
    """
    small_BCHW = F.adaptive_avg_pool2d(blank(image_BCHW, known_B1HW), size)
    hole_B1HW = F.adaptive_max_pool2d((known_B1HW <= 0).to(image_BCHW.dtype), size)
    small_B1HW = 1.0 - hole_B1HW
    return blank(small_BCHW, small_B1HW), small_B1HW


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
    if hole not in {"white", "black"}:
        raise UserError(f"hole: {hole!r}: the hole of a mask file is white or black")
    white_HW = mask_HWC.sum(axis=-1, dtype=np.int32) > 3 * THRESHOLD
    return white_HW if hole == "white" else ~white_HW


def write_png(path: Path, image_HWC: Uint8) -> None:
    """uint8 RGB (H, W, 3) or grey (H, W) as a PNG that is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_bytes(encode_png(image_HWC))
    part.replace(path)


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
