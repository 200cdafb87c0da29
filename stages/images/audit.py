"""What a build kept, what it refused and why, what was a duplicate of what: a dataset's tables, and its card."""

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from stages.images.dataset import SPLITS
from stages.images.dataset_params import DatasetParams
from stages.images.duplicates import Duplicate
from stages.images.prepare import Prepared, Refused
from stages.images.stored import ByteRange

INDEX = [
    *("key", "split", "source", "name", "sha256", "labels_sha256", "phash", "width", "height"),
    *("shard", "offset", "length", "labels_offset", "labels_length"),
]
HASHED = ["key", "sha256", "labels_sha256"]
QUARANTINE = ["name", "split", "reason"]
DUPLICATES = ["name", "split", "of_key", "of_split", "kind", "distance", "removed"]
NO_LABELS = ByteRange("", -1, 0)


@dataclass
class Audit:
    """Rows as they come; sha256 columns are of stored pixels, so that they do not hang on an encoder's version.

    The index, which has a row an image, is kept by columns: a third of the memory.
    """

    refused: list[dict[str, Any]] = field(default_factory=list)
    duplicates: list[dict[str, Any]] = field(default_factory=list)
    _index: dict[str, list[Any]] = field(default_factory=lambda: {name: [] for name in INDEX})
    _told: dict[str, int] = field(default_factory=Counter)  # rows by table that `fresh` has given

    def keep(self, key: str, found: Prepared, image: ByteRange, labels: ByteRange = NO_LABELS) -> None:
        """An image that is in the dataset, and where its bytes are."""
        height, width, _ = found.image_HWC.shape
        item = found.item
        row: dict[str, Any] = {"key": key, "split": item.split, "source": item.source, "name": item.name}
        row |= {"sha256": found.sha256, "labels_sha256": found.labels_sha256, "phash": f"{found.appearance.dhash:016x}"}
        row |= {"width": width, "height": height, "shard": image.shard, "offset": image.offset, "length": image.length}
        for name, value in (row | {"labels_offset": labels.offset, "labels_length": labels.length}).items():
            self._index[name].append(value)

    def refuse(self, found: Refused) -> None:
        """An image that cannot be used."""
        self.refused.append({"name": found.item.name, "split": found.item.split, "reason": found.reason})

    def duplicate(self, found: Prepared, of: Duplicate, removed: bool) -> None:
        """A training image that is a duplicate of a held-out one."""
        row = {"name": found.item.name, "split": found.item.split, "of_key": of.key, "of_split": of.split}
        self.duplicates.append(row | {"kind": of.kind, "distance": of.distance, "removed": removed})

    def fresh(self) -> dict[str, Any]:
        """What has come since the last call: rows by table, and of the index its columns."""
        rows: dict[str, Any] = {name: found[self._told[name] :] for name, found in self._lists.items()}
        rows["index"] = {name: values[self._told["index"] :] for name, values in self._index.items()}
        self._tell()
        return rows

    def take_up(self, rows: dict[str, Any]) -> None:
        """Add what `fresh` gave another process."""
        for name, values in self._index.items():
            values += rows["index"][name]
        for name, found in self._lists.items():
            found += rows[name]
        self._tell()

    def kept(self, split: str) -> int:
        """How many images of a split are in the dataset."""
        return self._index["split"].count(split)

    def tables(self) -> dict[str, pd.DataFrame]:
        """Name -> table."""
        lists = {"quarantine": (self.refused, QUARANTINE), "duplicates": (self.duplicates, DUPLICATES)}
        tables = {name: pd.DataFrame(rows, columns=columns) for name, (rows, columns) in lists.items()}
        return {"index": pd.DataFrame(self._index), **tables}

    def _tell(self) -> None:
        self._told = {name: len(found) for name, found in self._lists.items()} | {"index": len(self._index["key"])}

    @property
    def _lists(self) -> dict[str, list[dict[str, Any]]]:
        return {"quarantine": self.refused, "duplicates": self.duplicates}

    def card(self, name: str, params: DatasetParams, classes: int) -> dict[str, Any]:
        """dataset.json: what networks and protocols must know. Split hashes cover keys, pixels and labels, in order."""
        hashes = {split: hashlib.sha256() for split in SPLITS}
        for split, *texts in zip(*(self._index[name] for name in ("split", *HASHED)), strict=True):
            hashes[split].update(f"{' '.join(texts)}\n".encode())
        removed = sum(row["removed"] for row in self.duplicates)
        card = {"name": name, "layout": params.layout, "size": params.size, "classes": classes, "flip": params.flip}
        card |= {"counts": {split: self.kept(split) for split in SPLITS}}
        card |= {"sources": len(set(self._index["source"]))}
        card |= {"splits": {split: hashes[split].hexdigest() for split in SPLITS}}
        card |= {"quarantined": len(self.refused), "duplicates": {"listed": len(self.duplicates), "removed": removed}}
        return card
