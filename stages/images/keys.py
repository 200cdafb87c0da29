"""The keys that a dataset knows its images by: their names, told apart where two would have the same."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stages.contract import UserError
from stages.images.names import key_of
from stages.images.sources.item import Item


@dataclass(frozen=True)
class Keys:
    """Name -> key: of a name itself, and of a hash of the name where several names would share it.

    Only such keys are kept in memory.
    """

    shared: frozenset[str]

    @classmethod
    def of(cls, items: Sequence[Item]) -> Keys:
        """Those of all items of a source. UserError where two items share a name."""
        digests_N = np.fromiter((hash(_plain(item.name)) for item in items), np.int64, len(items))
        values, counts = np.unique(digests_N, return_counts=True)
        several = set(values[counts > 1].tolist())  # keys that are the same, or whose digests alone are
        names = [item.name for item, digest in zip(items, digests_N.tolist(), strict=True) if digest in several]
        _refuse_the_same(names, items)
        found = Counter(map(_plain, names))
        return cls(frozenset(key for key, count in found.items() if count > 1))

    def of_name(self, name: str) -> str:
        """The key of an item of that name."""
        key = _plain(name)
        return f"{key}-{hashlib.sha256(name.encode()).hexdigest()[:8]}" if key in self.shared else key


def _plain(name: str) -> str:
    return key_of(Path(name))


def _refuse_the_same(names: Sequence[str], items: Sequence[Item]) -> None:
    if len(set(names)) < len(names):
        name, _ = Counter(names).most_common(1)[0]
        paths = [str(item.path) for item in items if item.name == name]
        raise UserError(f"{paths[0]} and {paths[1]} are both called {name}; rename one")
