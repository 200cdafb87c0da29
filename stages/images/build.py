"""A source becomes a dataset: tars, index, packed pixels, audit. Written aside, moved into place when it is whole."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from stages import tables
from stages.contract import UserError
from stages.images.audit import NOWHERE, Audit
from stages.images.block import Block
from stages.images.copies import HeldOut
from stages.images.manifest import of_items
from stages.images.names import key_of
from stages.images.prepare import Prepared, Refused, prepare
from stages.images.shards import Packed, Shards
from stages.images.sources import LAYOUTS, Item

ORDER = ("test", "val", "train")  # what training images are held against comes first
MIB = 2**20

Track = Callable[[Iterable[Item], str, int], Iterable[Item]]  # items as they come, a name, how many: a progress bar


def build(name: str, block: Block, folder: Path, track: Track) -> dict[str, Any]:
    """Make the dataset in `folder` and return its card (dataset.json).

    UserError where more than `quarantine_limit` of the files are unusable: their list is then beside `folder`.
    """
    layout = LAYOUTS[block.layout]
    items = layout.items(block)
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    making = Making(name, block, part, keys(items), HeldOut(block.duplicates.near))
    for split in ORDER:
        own = [item for item in items if item.split == split]
        making.split(split, _prepared(track(own, split, len(own)), block))
    _refuse_past_limit(name, block, making.audit, len(items), folder)
    for table, frame in making.audit.tables().items():
        tables.write(frame, part / table)
    card = making.audit.card(name, block, classes(block))
    card |= {"fingerprint": hashlib.sha256(json.dumps(card, sort_keys=True).encode()).hexdigest()}
    card |= {"manifest": of_items(items, layout.dated)}
    (part / "dataset.json").write_text(json.dumps(card, indent=1) + "\n")
    shutil.rmtree(folder, ignore_errors=True)
    part.replace(folder)
    return card


@dataclass
class Making:
    """A dataset while it is written, a split after the other."""

    name: str
    block: Block
    part: Path
    keys: dict[str, str]
    held_out: HeldOut
    audit: Audit = field(default_factory=Audit)

    def split(self, split: str, results: Iterator[Prepared | Refused]) -> None:
        """Write what can be used; nothing is written for a split without images."""
        shards = Shards(self.part, self.name, split, self.block.shard_mb * MIB)
        packed = Packed(self.part, split, self.block.packed_mb * MIB)
        with closing(shards), closing(packed):
            for found in results:
                if isinstance(found, Refused):
                    self.audit.refuse(found)
                elif split != "train" or not self._is_copy(found):
                    self._keep(found, shards, packed)

    def _keep(self, found: Prepared, shards: Shards, packed: Packed) -> None:
        key = self.keys[found.item.name]
        if found.item.split != "train":
            self.held_out.add(key, found.item.split, found.look)
        places = shards.add(key, _members(key, found, self.block))
        packed.add(found.image_HWC)
        self.audit.keep(key, found, places[self.block.format], places.get("labels.png", NOWHERE))

    def _is_copy(self, found: Prepared) -> bool:
        """Whether a training image is to be left out as a copy of a held-out one; it is listed in any case."""
        copy = self.held_out.copy_of(found.look)
        if copy is None:
            return False
        self.audit.copy(found, copy, self.block.duplicates.remove)
        return self.block.duplicates.remove


def _prepared(items: Iterable[Item], block: Block) -> Iterator[Prepared | Refused]:
    """In the items' order, on all cores: decoding, resizing and encoding run outside Python's lock."""
    work = partial(prepare, block=block, classes=classes(block))
    workers = os.cpu_count() or 1
    stream = iter(items)
    with ThreadPoolExecutor(workers) as pool:
        while batch := list(islice(stream, 16 * workers)):  # so many at once, or all results would lie in memory
            yield from pool.map(work, batch)


def classes(block: Block) -> int:
    """Classes of the label maps: the layout's, or for a plain folder the block's own."""
    return getattr(block, "classes", LAYOUTS[block.layout].classes)


def keys(items: list[Item]) -> dict[str, str]:
    """Name -> key; names that would share a key are told apart by a hash."""
    plain = {item.name: key_of(Path(item.name)) for item in items}
    counts = Counter(plain.values())
    return {name: key if counts[key] == 1 else f"{key}-{_hash(name)}" for name, key in plain.items()}


def _hash(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:8]


def _members(key: str, found: Prepared, block: Block) -> dict[str, bytes]:
    height, width, _ = found.image_HWC.shape
    told = {"key": key, "name": found.item.name, "source": found.item.source}
    members = {block.format: found.data, "json": json.dumps({**told, "width": width, "height": height}).encode()}
    return members | ({"labels.png": found.labels} if found.labels else {})


def _refuse_past_limit(name: str, block: Block, audit: Audit, count: int, folder: Path) -> None:
    if len(audit.refused) <= block.quarantine_limit * count:
        return
    table = tables.write(audit.tables()["quarantine"], folder.with_name(f"{name}-quarantine"))
    first = audit.refused[0]
    raise UserError(
        f"{len(audit.refused)} of {count} files of {name} are unusable, over datasets.{name}.quarantine_limit = "
        f"{block.quarantine_limit}; the first: {first['name']}: {first['reason']}; all: {table}"
    )
