"""A person's picture as it lies in its file, and completions of it with all that results can hold of the file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from stages.contract import UserError
from stages.images.encoded import opened
from stages.images.files import encode_png, on_white, upright
from stages.images.pixels import Bool, Uint8

SPACE = slice(16, 20)  # of the colour space in an ICC profile (ICC.1:2022, 7.2)
PNG_DEPTH = 24  # of the bit depth in a PNG: after the signature (8), IHDR's length and name (8), width and height (8)


@dataclass(frozen=True)
class Original:
    """A picture's own pixels, RGB or RGBA (H, W, 3 or 4), its ICC profile, and what an 8-bit RGB result loses."""

    own_HWC: Uint8
    profile: bytes | None = None
    lost: tuple[str, ...] = ()

    @property
    def image_HWC(self) -> Uint8:
        """RGB (H, W, 3), what networks see: transparency is laid on white."""
        return on_white(self.own_HWC)

    def completed(self, picture_HWC: Uint8, hole_HW: Bool) -> bytes:
        """A completion (H, W, 3) as a PNG: known pixels are the file's own, alpha included; the hole is opaque."""
        filled_HWC = self.own_HWC.copy()
        filled_HWC[hole_HW] = 255
        filled_HWC[hole_HW, :3] = picture_HWC[hole_HW]
        return encode_png(filled_HWC, self.profile)


def read(path: Path) -> Original:
    """An image file; UserError with the reason where it is none."""
    try:
        return decode(path.read_bytes())
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: {error}; give a readable image file") from error


def decode(data: bytes) -> Original:
    """An encoded image; ValueError as `files.decode`."""
    with opened(data) as image:
        profile: bytes | None = image.info.get("icc_profile") or None
        fits = profile is None or profile[SPACE] == b"RGB "
        return Original(upright(image), profile if fits else None, tuple(_lost(image, data, fits)))


def _lost(image: Image.Image, data: bytes, profile_fits: bool) -> Iterator[str]:
    if image.mode.startswith("I") or (image.format == "PNG" and data[PNG_DEPTH] == 16):
        yield "16 bits a channel are rounded to 8"
    if image.mode == "CMYK":
        yield "CMYK is converted to RGB"
    if not profile_fits:
        yield f"its ICC profile is left out, since it is of {image.mode} and not of RGB"
