"""A dataset while it is written: a split after the other into tars and packed pixels, duplicates left out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from stages.images.audit import NO_LABELS, Audit
from stages.images.dataset_params import DatasetParams
from stages.images.duplicates import HeldOut
from stages.images.prepare import Prepared, Refused
from stages.images.shards import Packed, Shards

MIB = 2**20


@dataclass
class DatasetWriter:
    """Writes into `part` and keeps the audit; val and test come before train, which is compared with them."""

    name: str
    params: DatasetParams
    part: Path
    keys: dict[str, str]  # by the items' names
    audit: Audit = field(default_factory=Audit)

    def __post_init__(self) -> None:
        self.held_out = HeldOut(self.params.duplicates.near)

    def write(self, split: str, results: Iterator[Prepared | Refused]) -> None:
        """Write what can be used; nothing is written for a split without images."""
        shards = Shards(self.part, self.name, split, self.params.shard_mb * MIB)
        packed = Packed(self.part, split, self.params.packed_mb * MIB)
        with closing(shards), closing(packed):
            for found in results:
                if isinstance(found, Refused):
                    self.audit.refuse(found)
                elif split != "train" or not self._is_left_out(found):
                    self._keep(found, shards, packed)

    def _keep(self, found: Prepared, shards: Shards, packed: Packed) -> None:
        key = self.keys[found.item.name]
        if found.item.split != "train":
            self.held_out.add(key, found.item.split, found.appearance)
        ranges = shards.add(key, self._members(key, found))
        packed.add(found.image_HWC)
        self.audit.keep(key, found, ranges[self.params.format], ranges.get("labels.png", NO_LABELS))

    def _is_left_out(self, found: Prepared) -> bool:
        """Whether a training image is left out as a duplicate of a held-out one; a duplicate is listed in any case."""
        duplicate = self.held_out.duplicate_of(found.appearance)
        if duplicate is None:
            return False
        self.audit.duplicate(found, duplicate, self.params.duplicates.remove)
        return self.params.duplicates.remove

    def _members(self, key: str, found: Prepared) -> dict[str, bytes]:
        """Ending -> bytes of one sample of a WebDataset."""
        height, width, _ = found.image_HWC.shape
        about = {"key": key, "name": found.item.name, "source": found.item.source, "width": width, "height": height}
        members = {self.params.format: found.data, "json": json.dumps(about).encode()}
        return members | ({"labels.png": found.labels} if found.labels else {})
