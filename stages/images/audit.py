"""What a build kept, what it refused and why, what was a duplicate of what: a dataset's tables, and its card."""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from stages.images.dataset import SPLITS
from stages.images.dataset_params import DatasetParams
from stages.images.duplicates import Duplicate
from stages.images.prepare import Prepared, Refused
from stages.images.stored import ByteRange
from stages.project.seeds import number

COLUMNS = {
    "index": (
        *("key", "split", "source", "name", "sha256", "labels_sha256", "phash", "width", "height"),
        *("shard", "offset", "length", "labels_offset", "labels_length"),
    ),
    "quarantine": ("name", "split", "reason"),
    "duplicates": ("name", "split", "of_key", "of_split", "kind", "distance", "removed"),
}
NO_LABELS = ByteRange("", -1, 0)


def index_row(key: str, found: Prepared, image: ByteRange, labels: ByteRange = NO_LABELS) -> list[Any]:
    """An image that is in the dataset, and where its bytes are: a value a column."""
    height, width, _ = found.image_HWC.shape
    item, phash = found.item, f"{found.appearance.dhash:016x}"
    about = [key, item.split, item.source, item.name, found.sha256, found.labels_sha256, phash, width, height]
    return [*about, image.shard, image.offset, image.length, labels.offset, labels.length]


def quarantine_row(found: Refused) -> list[Any]:
    """An image that cannot be used."""
    return [found.item.name, found.item.split, found.reason]


def duplicates_row(found: Prepared, of: Duplicate, removed: bool) -> list[Any]:
    """A training image that is a duplicate of a held-out one."""
    return [found.item.name, found.item.split, of.key, of.split, of.kind, of.distance, removed]


@dataclass
class Audit:
    """Rows as they come; sha256 columns are of stored pixels, so that they do not hang on an encoder's version.

    Of the index, which has a row an image, nothing is kept but what the card tells.
    """

    refused: list[dict[str, Any]] = field(default_factory=list)
    duplicates: list[dict[str, Any]] = field(default_factory=list)
    kept: Counter[str] = field(default_factory=Counter)  # images that are in the dataset, by split
    _hashes: dict[str, Any] = field(default_factory=lambda: {split: hashlib.sha256() for split in SPLITS})
    _sources: array[int] = field(default_factory=lambda: array("Q"))  # a digest an image

    def add(self, table: str, values: list[Any]) -> None:
        """A row of `index`, `quarantine` or `duplicates`."""
        row = dict(zip(COLUMNS[table], values, strict=True))
        if table == "index":
            self.kept[row["split"]] += 1
            self._hashes[row["split"]].update(f"{row['key']} {row['sha256']} {row['labels_sha256']}\n".encode())
            self._sources.append(number(row["source"]))
        else:
            {"quarantine": self.refused, "duplicates": self.duplicates}[table].append(row)

    def tables(self) -> dict[str, pd.DataFrame]:
        """Name -> table of what was lost."""
        lists = {"quarantine": self.refused, "duplicates": self.duplicates}
        return {name: pd.DataFrame(rows, columns=list(COLUMNS[name])) for name, rows in lists.items()}

    def card(self, name: str, params: DatasetParams, classes: int) -> dict[str, Any]:
        """dataset.json: what networks and protocols must know. Split hashes cover keys, pixels and labels, in order."""
        removed = sum(row["removed"] for row in self.duplicates)
        card = {"name": name, "layout": params.layout, "size": params.size, "classes": classes, "flip": params.flip}
        card |= {"counts": {split: self.kept[split] for split in SPLITS}}
        card |= {"sources": len(np.unique(np.frombuffer(self._sources, dtype=np.uint64)))}
        card |= {"splits": {split: self._hashes[split].hexdigest() for split in SPLITS}}
        card |= {"quarantined": len(self.refused), "duplicates": {"listed": len(self.duplicates), "removed": removed}}
        return card
