"""Training images that are duplicates of held-out ones: the same pixels, or the same picture to the eye."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from stages.images.appearance import Appearance, Appearances


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
    _columns: Appearances | None = None
    _told: int = 0  # images that `fresh` has given

    def add(self, key: str, split: str, appearance: Appearance) -> None:
        """One more held-out image."""
        self.exact.setdefault(appearance.sha256, len(self.keys))
        self.keys.append((key, split))
        self.appearances.append(appearance)
        self._columns = None

    def fresh(self) -> list[dict[str, Any]]:
        """The images that have come since the last call, as values that JSON can hold."""
        first, self._told = self._told, len(self.keys)
        rows = zip(self.keys[first:], self.appearances[first:], strict=True)
        return [{"key": key, "split": split, "appearance": one.plain()} for (key, split), one in rows]

    def take_up(self, rows: list[dict[str, Any]]) -> None:
        """Add images that `fresh` gave another process."""
        for row in rows:
            self.add(row["key"], row["split"], Appearance.of_plain(row["appearance"]))
        self.fresh()

    def duplicate_of(self, appearance: Appearance) -> Duplicate | None:
        """The held-out image that this one duplicates, or None. Near: at most `near` bits apart, thumbnails alike."""
        if appearance.sha256 in self.exact:
            return self._duplicate(self.exact[appearance.sha256], "exact", 0)
        if self.near is None or not self.keys:
            return None
        columns = self._columns = self._columns or Appearances.of(self.appearances)
        bits_N = columns.bits(appearance)
        candidates = np.flatnonzero(bits_N <= self.near)
        levels = columns.chosen(candidates).levels(appearance)
        if not len(levels) or np.isinf(levels.min()):
            return None
        found = int(candidates[levels.argmin()])
        return self._duplicate(found, "near", int(bits_N[found]))

    def _duplicate(self, index: int, kind: str, distance: int) -> Duplicate:
        key, split = self.keys[index]
        return Duplicate(key, split, kind, distance)
