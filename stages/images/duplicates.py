"""Training images that are duplicates of held-out ones: the same pixels, or the same picture to the eye."""

import hashlib
from dataclasses import dataclass, field

import cv2
import numpy as np

from stages.images.pixels import Uint8

THUMBNAIL = 16  # pixels a side
LEVELS = 16.0  # mean grey levels by which two thumbnails of one picture may differ (crop, brightness, JPEG: below 15)


@dataclass(frozen=True)
class Appearance:
    """What a picture looks like: a 64-bit difference hash, and a thumbnail that confirms what the hash suggests."""

    sha256: str
    dhash: int
    thumbnail: np.ndarray


@dataclass(frozen=True)
class Duplicate:
    """A held-out image that a training image is a duplicate of."""

    key: str
    split: str
    kind: str  # exact, near
    distance: int  # bits


@dataclass
class HeldOut:
    """The val and test images, against which training images are compared."""

    near: int | None
    keys: list[tuple[str, str]] = field(default_factory=list)  # (key, split)
    appearances: list[Appearance] = field(default_factory=list)
    exact: dict[str, int] = field(default_factory=dict)
    _stacked: tuple[np.ndarray, np.ndarray] | None = None

    def add(self, key: str, split: str, appearance: Appearance) -> None:
        """One more held-out image."""
        self.exact.setdefault(appearance.sha256, len(self.keys))
        self.keys.append((key, split))
        self.appearances.append(appearance)
        self._stacked = None

    def duplicate_of(self, appearance: Appearance) -> Duplicate | None:
        """The held-out image that this one duplicates, or None. Near: at most `near` bits apart, thumbnails alike."""
        if appearance.sha256 in self.exact:
            return self._duplicate(self.exact[appearance.sha256], "exact", 0)
        if self.near is None or not self.keys:
            return None
        hashes, thumbnails = self._stack()
        bits = np.bitwise_count(hashes ^ np.uint64(appearance.dhash))
        candidates = np.flatnonzero(bits <= self.near)
        levels = np.abs(thumbnails[candidates] - appearance.thumbnail).mean(axis=(1, 2, 3))
        if not len(levels) or levels.min() > LEVELS:
            return None
        found = candidates[int(levels.argmin())]
        return self._duplicate(found, "near", int(bits[found]))

    def _duplicate(self, index: int, kind: str, distance: int) -> Duplicate:
        key, split = self.keys[index]
        return Duplicate(key, split, kind, distance)

    def _stack(self) -> tuple[np.ndarray, np.ndarray]:
        if self._stacked is None:
            hashes = np.array([one.dhash for one in self.appearances], dtype=np.uint64)
            self._stacked = hashes, np.stack([one.thumbnail for one in self.appearances])
        return self._stacked


def appearance_of(image_HWC: Uint8) -> Appearance:
    """The appearance of uint8 RGB (H, W, 3); its hash: is each of 8 x 8 cells brighter than its left neighbour?"""
    grey_HW = cv2.resize(cv2.cvtColor(image_HWC, cv2.COLOR_RGB2GRAY), (9, 8), interpolation=cv2.INTER_AREA)
    bits = np.packbits(grey_HW[:, 1:] > grey_HW[:, :-1]).tobytes()
    thumbnail = cv2.resize(image_HWC, (THUMBNAIL, THUMBNAIL), interpolation=cv2.INTER_AREA)
    return Appearance(sha256_of(image_HWC), int.from_bytes(bits, "big"), thumbnail.astype(np.int16))


def sha256_of(image: Uint8) -> str:
    """Of an image's (or label map's) shape and pixels: it does not hang on a file format or an encoder's version."""
    return hashlib.sha256(f"{image.shape}".encode() + image.tobytes()).hexdigest()
