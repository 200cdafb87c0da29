"""Training images that are copies of held-out ones: the same pixels, or the same picture to the eye."""

import hashlib
from dataclasses import dataclass, field

import cv2
import numpy as np

from stages.images.pixels import Uint8

THUMB = 16  # pixels a side
LEVELS = 16.0  # mean grey levels by which two thumbnails of one picture may differ (crop, brightness, JPEG: below 15)


@dataclass(frozen=True)
class Look:
    """What a picture looks like: a 64-bit difference hash, and a thumbnail that confirms what the hash suggests."""

    sha256: str
    hash: int
    thumb: np.ndarray


@dataclass(frozen=True)
class Copy:
    """A held-out image that an image is a copy of."""

    key: str
    split: str
    kind: str  # exact, near
    distance: int  # bits


@dataclass
class HeldOut:
    """The val and test images, against which training images are held."""

    near: int | None
    keys: list[tuple[str, str]] = field(default_factory=list)  # (key, split)
    looks: list[Look] = field(default_factory=list)
    exact: dict[str, int] = field(default_factory=dict)
    _stacked: tuple[np.ndarray, np.ndarray] | None = None

    def add(self, key: str, split: str, look: Look) -> None:
        """One more held-out image."""
        self.exact.setdefault(look.sha256, len(self.keys))
        self.keys.append((key, split))
        self.looks.append(look)
        self._stacked = None

    def copy_of(self, look: Look) -> Copy | None:
        """The held-out image that this one copies, or None. Near: at most `near` bits apart, thumbnails alike."""
        if look.sha256 in self.exact:
            return self._copy(self.exact[look.sha256], "exact", 0)
        if self.near is None or not self.keys:
            return None
        hashes, thumbs = self._stack()
        bits = np.bitwise_count(hashes ^ np.uint64(look.hash))
        candidates = np.flatnonzero(bits <= self.near)
        levels = np.abs(thumbs[candidates] - look.thumb).mean(axis=(1, 2, 3))
        if not len(levels) or levels.min() > LEVELS:
            return None
        found = candidates[int(levels.argmin())]
        return self._copy(found, "near", int(bits[found]))

    def _copy(self, row: int, kind: str, distance: int) -> Copy:
        key, split = self.keys[row]
        return Copy(key, split, kind, distance)

    def _stack(self) -> tuple[np.ndarray, np.ndarray]:
        if self._stacked is None:
            hashes = np.array([look.hash for look in self.looks], dtype=np.uint64)
            self._stacked = hashes, np.stack([look.thumb for look in self.looks])
        return self._stacked


def look(image_HWC: Uint8) -> Look:
    """The look of uint8 RGB (H, W, 3): is each of 8 x 8 cells brighter than its left neighbour?"""
    grey_HW = cv2.resize(cv2.cvtColor(image_HWC, cv2.COLOR_RGB2GRAY), (9, 8), interpolation=cv2.INTER_AREA)
    bits = np.packbits(grey_HW[:, 1:] > grey_HW[:, :-1]).tobytes()
    thumb = cv2.resize(image_HWC, (THUMB, THUMB), interpolation=cv2.INTER_AREA)
    return Look(sha256_of(image_HWC), int.from_bytes(bits, "big"), thumb.astype(np.int16))


def sha256_of(image: Uint8) -> str:
    """Of an image's (or label map's) shape and pixels: it does not hang on a file format or an encoder's version."""
    return hashlib.sha256(f"{image.shape}".encode() + image.tobytes()).hexdigest()
