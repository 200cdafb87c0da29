"""Image and mask files, any that defines an RGB picture, as uint8 RGB and holes; pictures as PNG.

Mask files are white in the hole unless it is declared otherwise.
"""

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

from stages.contract import UserError
from stages.images.edge_levels import EdgeMap, edge_map_of
from stages.images.encoded import MAX_PIXELS, opened
from stages.images.mask_levels import Mask, mask_of
from stages.images.pixels import Bool, Uint8
from stages.project.files import write_bytes

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # by EXIF's orientation


def read_rgb(path: Path, limit: int = MAX_PIXELS) -> Uint8:
    """An image file as upright uint8 RGB (H, W, 3); UserError with the reason where that is not defined."""
    return on_white(_read(path, limit))


def read_mask(path: Path, hole: str = "white") -> Mask:
    """A mask file: its hole_HW (True = missing), and a remark where it is not plain; `hole` declares its colour."""
    return mask_of(_read(path), hole, str(path))


def read_hole(path: Path, hole: str = "white") -> Bool:
    """A mask file's hole_HW (True = missing) alone."""
    return read_mask(path, hole).hole_HW


def read_edges(path: Path, colour: str | None = None) -> EdgeMap:
    """An edge map's file: its edges_HW (True on an edge); `colour` declares their colour, None: it is told apart."""
    return edge_map_of(_read(path), colour, str(path))


def write_png(path: Path, image_HWC: Uint8) -> None:
    """uint8 RGB or RGBA (H, W, C) or grey (H, W) as a PNG that is there whole or not at all."""
    write_bytes(path, encode_png(image_HWC))


def encode_png(image_HWC: Uint8, profile: bytes | None = None) -> bytes:
    """RGB, RGBA or grey as the bytes of a PNG, the same for the same pixels; `profile`: an ICC profile to embed."""
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image_HWC)).save(buffer, format="PNG", icc_profile=profile)
    return buffer.getvalue()


def decode_rgb(data: bytes, limit: int = MAX_PIXELS) -> Uint8:
    """An encoded image as upright uint8 RGB (H, W, 3): as `decode` gives it, transparency laid on white."""
    return on_white(decode(data, limit))


def decode(data: bytes, limit: int = MAX_PIXELS) -> Uint8:
    """An encoded image as upright uint8 RGB (H, W, 3), or RGBA (H, W, 4) where it has transparency.

    Grey, palette, CMYK and 16-bit grey are converted. ValueError as `encoded.opened`, or where no RGB is defined.
    """
    with opened(data, limit) as image:
        return upright(image)


def upright(image: Image.Image) -> Uint8:
    """An opened image turned as it is to be viewed: RGB, or RGBA where it has transparency."""
    turn = TURNS.get(_orientation(image))
    turned = image if turn is None else image.transpose(turn)
    if turned.mode.startswith("I"):
        return np.repeat(_eight_bit(np.asarray(turned))[..., None], 3, axis=-1)
    if turned.mode in {"RGBA", "LA", "PA"} or "transparency" in turned.info:
        return np.array(turned.convert("RGBA"), dtype=np.uint8)  # a copy: PIL lends a read-only one
    if turned.mode not in {"RGB", "L", "1", "P", "CMYK", "YCbCr"}:
        raise ValueError(f"no defined RGB for mode {turned.mode}")
    return np.array(turned.convert("RGB"), dtype=np.uint8)


def on_white(image_HWC: Uint8) -> Uint8:
    """RGB as it is; RGBA laid on white."""
    if image_HWC.shape[-1] == 3:
        return image_HWC
    clear = Image.fromarray(image_HWC)
    return np.array(Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear).convert("RGB"), dtype=np.uint8)


def _read(path: Path, limit: int = MAX_PIXELS) -> Uint8:
    """As `decode`; UserError names the file."""
    try:
        return decode(path.read_bytes(), limit)
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: {error}; give a readable image file") from error


def _orientation(image: Image.Image) -> int:
    """The EXIF's; 1 where none can be read. ImageOps.exif_transpose writes the EXIF anew, and fails on odd tags."""
    image.load()  # some formats have it behind the pixels
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # PIL raises whatever it meets in damaged tags, and viewers show such a picture as it is stored
        return 1


def _eight_bit(grey_HW: NDArray[np.integer]) -> Uint8:
    if grey_HW.min() < 0 or grey_HW.max() > 65535:
        raise ValueError("no defined RGB for grey values outside 16 bits")
    return np.round(grey_HW / 257.0).astype(np.uint8)
