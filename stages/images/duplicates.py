"""Training images that are duplicates of held-out ones: the same pixels, or the same picture to the eye."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stages.images.appearance import PICTURES, THUMBNAIL, Appearance, Appearances, bits

TOGETHER = 256  # pictures that are written at once


@dataclass(frozen=True)
class Duplicate:
    """A held-out image that a training image is a duplicate of."""

    key: str
    split: str
    kind: str  # exact, near
    distance: int  # bits


@dataclass
class HeldOut:
    """The val and test images, against which training images are compared.

    Their thumbnails lie in a file, since few are looked at: of those whose hashes are near.
    """

    near: int | None
    thumbnails: Path  # written anew
    keys: list[tuple[str, str]] = field(default_factory=list)  # (key, split)
    exact: dict[bytes, int] = field(default_factory=dict)
    _hashes: array[int] = field(default_factory=lambda: array("Q"))
    _telling: array[int] = field(default_factory=lambda: array("B"))
    _unwritten: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.thumbnails.parent.mkdir(parents=True, exist_ok=True)
        self.thumbnails.write_bytes(b"")

    def add(self, key: str, split: str, appearance: Appearance) -> None:
        """One more held-out image."""
        self.exact.setdefault(bytes.fromhex(appearance.sha256), len(self.keys))
        self.keys.append((key, split))
        self._hashes.append(appearance.dhash)
        self._telling.append(appearance.telling)
        self._unwritten += [getattr(appearance, name).tobytes() for name in PICTURES]
        if len(self._unwritten) >= TOGETHER:
            self._write()

    def duplicate_of(self, appearance: Appearance) -> Duplicate | None:
        """The held-out image that this one duplicates, or None. Near: at most `near` bits apart, thumbnails alike."""
        same = self.exact.get(bytes.fromhex(appearance.sha256))
        if same is not None:
            return self._duplicate(same, "exact", 0)
        if self.near is None:
            return None
        bits_N = bits(np.frombuffer(self._hashes, dtype=np.uint64), appearance)
        candidates = np.flatnonzero(bits_N <= self.near)
        if not len(candidates):
            return None
        levels = self._at(candidates).levels(appearance)
        if np.isinf(levels.min()):
            return None
        found = int(candidates[levels.argmin()])
        return self._duplicate(found, "near", int(bits_N[found]))

    def _at(self, places: NDArray[np.intp]) -> Appearances:
        self._write()
        shape = (len(self.keys), len(PICTURES), THUMBNAIL, THUMBNAIL, 3)
        pictures_NPHWC = np.memmap(self.thumbnails, np.uint8, "r", shape=shape)[places]
        telling_N = np.frombuffer(self._telling, dtype=np.uint8)[places]
        return Appearances(telling_N, pictures_NPHWC[:, 0], pictures_NPHWC[:, 1])

    def _write(self) -> None:
        if self._unwritten:
            with self.thumbnails.open("ab") as file:
                file.writelines(self._unwritten)
            self._unwritten = []

    def _duplicate(self, index: int, kind: str, distance: int) -> Duplicate:
        key, split = self.keys[index]
        return Duplicate(key, split, kind, distance)
