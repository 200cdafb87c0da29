"""A dataset while it is written: a split after the other into tars and packed pixels, duplicates left out."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stages.images.appearance import Appearance
from stages.images.audit import NO_LABELS, Audit, duplicates_row, index_row, quarantine_row
from stages.images.dataset_params import DatasetParams
from stages.images.duplicates import HeldOut
from stages.images.keys import Keys
from stages.images.ledger import Finished, Ledger, digest_of
from stages.images.prepare import Prepared, Refused
from stages.images.shards import Packed, Shards
from stages.project.hashing import of_file

MIB = 2**20
HELD_OUT = "held_out"  # in the ledger: an image with which those of train are compared
UNSTORED = 4096  # images of which no tar is made, after which the ledger notes them


@dataclass
class Place:
    """How far a split is: images of the source, tars, and bytes of packed pixels."""

    items: int = 0
    tars: int = 0
    packed: int = 0
    noted: int = 0  # images of the source that the ledger tells of


@dataclass
class DatasetWriter:
    """Writes into `part` and keeps the audit; val and test come before train, which is compared with them.

    What the ledger in `part` tells is there already: `done` items of a split, which are not given again.
    """

    name: str
    params: DatasetParams
    part: Path
    keys: Keys
    audit: Audit = field(default_factory=Audit)
    places: dict[str, Place] = field(default_factory=lambda: defaultdict(Place))

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.part, self.params.packed_mb * MIB)
        self.held_out = HeldOut(self.params.duplicates.near, self.ledger.folder / "thumbnails.bin")
        for entry in self.ledger.taken_up():
            place = self.places[entry.split]
            place.items, place.tars, place.packed = entry.items, place.tars + bool(entry.tar), entry.packed
            place.noted = place.items
        for table, values in self.ledger.rows():
            if table == HELD_OUT:
                key, split, appearance = values
                self.held_out.add(key, split, Appearance.of_plain(appearance))
            else:
                self.audit.add(table, values)

    def done(self, split: str) -> int:
        """The split's first items, so many, are written."""
        return self.places[split].items

    def write(self, split: str, results: Iterator[Prepared | Refused]) -> None:
        """Write what can be used; nothing is written for a split without images."""
        place = self.places[split]
        shards = Shards(self.part, self.name, split, self.params.shard_mb * MIB, place.tars)
        packed = Packed(self.part, split, self.params.packed_mb * MIB, place.packed)
        with closing(shards), closing(packed), closing(self.ledger):
            for found in results:
                if shards.is_full or (shards.tar is None and place.items - place.noted >= UNSTORED):
                    self._note(split, shards, packed)
                self._take(found, shards, packed)
                place.items += 1
            self._note(split, shards, packed)
            packed.finish()

    def _note(self, split: str, shards: Shards, packed: Packed) -> None:
        """A tar is full, or the split at its end: whoever goes on goes on from here."""
        place, tar = self.places[split], shards.close()
        packed.flush()
        start, place.packed = place.packed, packed.size
        pixels = "" if packed.given_up or start == packed.size else digest_of(packed.path, start, packed.size)
        digest = of_file(self.part / tar) if tar else ""
        place.noted = place.items
        self.ledger.add(Finished(split, place.items, tar, digest, packed.size, pixels))

    def _take(self, found: Prepared | Refused, shards: Shards, packed: Packed) -> None:
        if isinstance(found, Refused):
            self._add("quarantine", quarantine_row(found))
        elif found.item.split != "train" or not self._is_left_out(found):
            self._keep(found, shards, packed)

    def _keep(self, found: Prepared, shards: Shards, packed: Packed) -> None:
        key = self.keys.of_name(found.item.name)
        if found.item.split != "train":
            self.held_out.add(key, found.item.split, found.appearance)
            self.ledger.note(HELD_OUT, [key, found.item.split, found.appearance.plain()])
        if found.item.stays:
            return self._add("index", index_row(key, found, *found.item.stays))
        ranges = shards.add(key, self._members(key, found))
        packed.add(found.image_HWC)
        self._add("index", index_row(key, found, ranges[self.params.format], ranges.get("labels.png", NO_LABELS)))

    def _add(self, table: str, values: list[Any]) -> None:
        self.audit.add(table, values)
        self.ledger.note(table, values)

    def _is_left_out(self, found: Prepared) -> bool:
        """Whether a training image is left out as a duplicate of a held-out one; a duplicate is listed in any case."""
        duplicate = self.held_out.duplicate_of(found.appearance)
        if duplicate is None:
            return False
        self._add("duplicates", duplicates_row(found, duplicate, self.params.duplicates.remove))
        return self.params.duplicates.remove

    def _members(self, key: str, found: Prepared) -> dict[str, bytes]:
        """Ending -> bytes of one sample of a WebDataset."""
        height, width, _ = found.image_HWC.shape
        about = {"key": key, "name": found.item.name, "source": found.item.source, "width": width, "height": height}
        members = {self.params.format: found.data, "json": json.dumps(about).encode()}
        return members | ({"labels.png": found.labels} if found.labels else {})
