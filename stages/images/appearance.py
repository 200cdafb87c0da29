"""What a picture looks like, in a few numbers: whether two files show the same picture to the eye.

A difference hash finds candidates, thumbnails confirm them. A picture that is flat for the most part (a thing on white)
gives both little to go by: its ground is like every other's. So what is not ground is compared too, in a thumbnail of
its own, and where the hash is mostly of flat cells the thumbnails' shapes must agree, not their levels alone.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from stages.images.pixels import Bool, Uint8

THUMBNAIL = 16  # pixels a side
LEVELS = 16.0  # mean grey levels by which two thumbnails of one picture may differ (crop, brightness, JPEG: below 15)
FLAT = 2  # grey levels by which two cells must differ to be told apart: JPEG alone makes 1 or 2
TELLING = 32  # of 64 comparisons: with fewer the hashes of any two pictures agree (photographs: above 30 in 99 of 100)
SHAPE = 0.95  # least correlation of the thumbnails of flat pictures (crop by 2 %, JPEG: above 0.97)
GROUND = 48  # levels from the border's median in which a pixel is ground: past what JPEG spills round a bright thing
BROKEN = 0.1  # share of the border that is not of its median's colour, past which there is no ground
PICTURES = ("thumbnail", "content")  # of an appearance
REDUCED = 128  # pixels of the longer side in which ground is looked for: noise is averaged away


@dataclass(frozen=True)
class Appearance:
    """Thumbnails are uint8 RGB (16, 16, 3)."""

    sha256: str
    dhash: int  # 64 bits
    telling: int  # of the hash's 64 comparisons, those between cells that are not alike
    thumbnail: Uint8
    content: Uint8  # of the least rectangle that holds what is not ground; of all, where there is no ground

    def plain(self) -> dict[str, Any]:
        """As values that JSON can hold."""
        pictures = {name: getattr(self, name).tobytes().hex() for name in PICTURES}
        return {"sha256": self.sha256, "dhash": self.dhash, "telling": self.telling, **pictures}

    @classmethod
    def of_plain(cls, values: dict[str, Any]) -> Appearance:
        """The inverse of `plain`."""
        shape = (THUMBNAIL, THUMBNAIL, 3)
        pictures = {n: np.frombuffer(bytes.fromhex(values[n]), dtype=np.uint8).reshape(shape) for n in PICTURES}
        return cls(**{**values, **pictures})


class Appearances(NamedTuple):
    """What of N pictures is looked at where hashes are near, side by side."""

    telling_N: NDArray[np.integer]
    thumbnail_NHWC: Uint8
    content_NHWC: Uint8

    def levels(self, one: Appearance) -> NDArray[np.float64]:
        """By how many levels each one's thumbnail differs from another picture's: (N,), infinite where not alike."""
        levels_N = _levels(self.thumbnail_NHWC, one.thumbnail)
        alike_N = (levels_N <= LEVELS) & (_levels(self.content_NHWC, one.content) <= LEVELS)
        flat_N = np.minimum(self.telling_N, one.telling) < TELLING
        alike_N &= ~flat_N | (_correlations(self.thumbnail_NHWC, one.thumbnail) >= SHAPE)
        return np.where(alike_N, levels_N, np.inf)


def bits(dhash_N: NDArray[np.uint64], one: Appearance) -> NDArray[np.uint8]:
    """In how many bits hashes differ from a picture's: (N,)."""
    return np.bitwise_count(dhash_N ^ np.uint64(one.dhash))


def appearance_of(image_HWC: Uint8) -> Appearance:
    """The appearance of uint8 RGB (H, W, 3); its hash: is each of 8 x 8 cells brighter than its left neighbour?"""
    grey_HW = _small(np.asarray(cv2.cvtColor(image_HWC, cv2.COLOR_RGB2GRAY), dtype=np.uint8), 9, 8)
    bits = np.packbits(grey_HW[:, 1:] > grey_HW[:, :-1]).tobytes()
    telling = int(np.count_nonzero(np.abs(np.diff(grey_HW.astype(np.int16))) > FLAT))
    thumbnails = (_small(picture_HWC, THUMBNAIL, THUMBNAIL) for picture_HWC in (image_HWC, content_of(image_HWC)))
    return Appearance(sha256_of(image_HWC), int.from_bytes(bits, "big"), telling, *thumbnails)


def content_of(image_HWC: Uint8) -> Uint8:
    """The part of uint8 RGB (H, W, 3) within the ground that runs along its border; all of it, where there is none."""
    sides = image_HWC.shape[:2]
    scale = min(1.0, REDUCED / max(sides))
    height, width = (max(1, round(side * scale)) for side in sides)
    small_HWC = _small(image_HWC, width, height).astype(np.int16)
    off_HW: Bool = (np.abs(small_HWC - np.median(_border(small_HWC), axis=0)) > GROUND).any(axis=-1)
    if not off_HW.any() or _border(off_HW).mean() > BROKEN:
        return image_HWC
    return image_HWC[_extent(off_HW, 1, sides[0]), _extent(off_HW, 0, sides[1])]


def sha256_of(image: Uint8) -> str:
    """Of an image's (or label map's) shape and pixels: it does not hang on a file format or an encoder's version."""
    return hashlib.sha256(f"{image.shape}".encode() + image.tobytes()).hexdigest()


def _small(image_HW: Uint8, width: int, height: int) -> Uint8:
    return np.asarray(cv2.resize(image_HW, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _border(image_HW: np.ndarray) -> np.ndarray:
    return np.concatenate([image_HW[0], image_HW[-1], image_HW[:, 0], image_HW[:, -1]])


def _extent(off_HW: Bool, across: int, side: int) -> slice:
    """From the first to the last row (or column) with anything in it, in pixels of the picture's own side."""
    seen_N = np.any(off_HW, axis=across)
    places, count = np.flatnonzero(seen_N), off_HW.shape[1 - across]
    return slice(int(places[0]) * side // count, -(-(int(places[-1]) + 1) * side // count))


def _levels(many_NHWC: Uint8, one_HWC: Uint8) -> NDArray[np.float64]:
    return np.abs(many_NHWC.astype(np.int16) - one_HWC).mean(axis=(1, 2, 3))


def _correlations(many_NHWC: Uint8, one_HWC: Uint8) -> NDArray[np.float64]:
    """(N,) over pixels and channels, each channel without its mean; 0 where there is nothing but one colour."""
    many = many_NHWC - many_NHWC.mean(axis=(1, 2), keepdims=True)
    one = one_HWC - one_HWC.mean(axis=(0, 1))
    scale_N = np.sqrt((many**2).sum(axis=(1, 2, 3)) * (one**2).sum())
    return (many * one).sum(axis=(1, 2, 3)) / np.maximum(scale_N, 1e-9)
