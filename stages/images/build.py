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

import pandas as pd

from stages import tables
from stages.contract import UserError
from stages.images.block import Block
from stages.images.copies import Copy, HeldOut
from stages.images.dataset import Place
from stages.images.manifest import of_items
from stages.images.names import key_of
from stages.images.prepare import Prepared, Refused, prepare
from stages.images.shards import Packed, Shards
from stages.images.sources import LAYOUTS, Item

INDEX = ("key", "split", "source", "name", "sha256", "labels_sha256", "phash", "width", "height", "shard", "offset")
INDEX += ("length", "labels_offset", "labels_length")
QUARANTINE = ("name", "split", "reason")
DUPLICATES = ("name", "split", "of_key", "of_split", "kind", "distance", "removed")
ORDER = ("test", "val", "train")  # what training images are held against comes first
NOWHERE = Place("", -1, 0)
MIB = 2**20

Track = Callable[[Iterable[Item], str, int], Iterable[Item]]  # items as they come, a name, how many: a progress bar


@dataclass
class Audit:
    """What was kept, what was refused and why, what was a copy of what."""

    kept: list[dict[str, Any]] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)
    copies: list[dict[str, Any]] = field(default_factory=list)


def build(name: str, block: Block, folder: Path, track: Track) -> dict[str, Any]:
    """Make the dataset in `folder` and return its card (dataset.json).

    UserError where more than `quarantine_limit` of the files are unusable: their list is then beside `folder`.
    """
    layout = LAYOUTS[block.layout]
    items = layout.items(block)
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    audit = _write(name, block, items, part, track)
    tables.write(pd.DataFrame(audit.refused, columns=QUARANTINE), part / "quarantine")
    _refuse_past_limit(name, block, audit, len(items), part, folder)
    tables.write(pd.DataFrame(audit.copies, columns=DUPLICATES), part / "duplicates")
    tables.write(pd.DataFrame(audit.kept, columns=INDEX), part / "index")
    card = _card(name, block, audit) | {"manifest": of_items(items, layout.dated)}
    (part / "dataset.json").write_text(json.dumps(card, indent=1) + "\n")
    shutil.rmtree(folder, ignore_errors=True)
    part.replace(folder)
    return card


def _write(name: str, block: Block, items: list[Item], part: Path, track: Track) -> Audit:
    audit, held_out, keys = Audit(), HeldOut(block.duplicates.near), _keys(items)
    for split in ORDER:
        own = [item for item in items if item.split == split]
        if own:
            _write_split(name, block, split, _prepared(track(own, split, len(own)), block), keys, held_out, audit, part)
    return audit


def _write_split(
    name: str,
    block: Block,
    split: str,
    results: Iterator[Prepared | Refused],
    keys: dict[str, str],
    held_out: HeldOut,
    audit: Audit,
    part: Path,
) -> None:
    shards = Shards(part, name, split, block.shard_mb * MIB)
    packed = Packed(part, split, block.packed_mb * MIB)
    with closing(shards), closing(packed):
        for found in results:
            if isinstance(found, Refused):
                audit.refused.append({"name": found.item.name, "split": split, "reason": found.reason})
                continue
            key = keys[found.item.name]
            if split == "train":
                copy = held_out.copy_of(found.sha256, found.look)
                if copy:
                    audit.copies.append(_copied(found.item, copy, block.duplicates.remove))
                if copy and block.duplicates.remove:
                    continue
            else:
                held_out.add(key, split, found.sha256, found.look)
            places = shards.add(key, _members(key, found, block))
            packed.add(found.image_HWC)
            audit.kept.append(_row(key, found, places[block.format], places.get("labels.png", NOWHERE)))


def _prepared(items: Iterable[Item], block: Block) -> Iterator[Prepared | Refused]:
    """In the items' order, on all cores: decoding, resizing and encoding run outside Python's lock."""
    work = partial(prepare, block=block, classes=_classes(block))
    workers = os.cpu_count() or 1
    stream = iter(items)
    with ThreadPoolExecutor(workers) as pool:
        while batch := list(islice(stream, 16 * workers)):  # so many at once, or all results would lie in memory
            yield from pool.map(work, batch)


def _classes(block: Block) -> int:
    return getattr(block, "classes", LAYOUTS[block.layout].classes)


def _keys(items: list[Item]) -> dict[str, str]:
    """Name -> key; names that would share a key are told apart by a hash."""
    counts = Counter(key_of(Path(item.name)) for item in items)
    keys = {}
    for item in items:
        key = key_of(Path(item.name))
        tail = hashlib.sha256(item.name.encode()).hexdigest()[:8]
        keys[item.name] = key if counts[key] == 1 else f"{key}-{tail}"
    return keys


def _members(key: str, found: Prepared, block: Block) -> dict[str, bytes]:
    height, width, _ = found.image_HWC.shape
    told = {"key": key, "name": found.item.name, "source": found.item.source, "width": width, "height": height}
    members = {block.format: found.data, "json": json.dumps(told).encode()}
    return members | ({"labels.png": found.labels} if found.labels else {})


def _row(key: str, found: Prepared, image: Place, labels: Place) -> dict[str, Any]:
    height, width, _ = found.image_HWC.shape
    item = found.item
    own = {"key": key, "split": item.split, "source": item.source, "name": item.name, "sha256": found.sha256}
    own |= {"labels_sha256": hashlib.sha256(found.labels).hexdigest() if found.labels else ""}
    own |= {"phash": f"{found.look.hash:016x}", "width": width, "height": height}
    own |= {"shard": image.shard, "offset": image.offset, "length": image.length}
    return own | {"labels_offset": labels.offset, "labels_length": labels.length}


def _copied(item: Item, copy: Copy, removed: bool) -> dict[str, Any]:
    row = {"name": item.name, "split": item.split, "of_key": copy.key, "of_split": copy.split}
    return row | {"kind": copy.kind, "distance": copy.distance, "removed": removed}


def _refuse_past_limit(name: str, block: Block, audit: Audit, count: int, part: Path, folder: Path) -> None:
    if len(audit.refused) <= block.quarantine_limit * count:
        return
    table = tables.write(pd.DataFrame(audit.refused, columns=QUARANTINE), folder.with_name(f"{name}-quarantine"))
    shutil.rmtree(part)
    first = audit.refused[0]
    raise UserError(
        f"{len(audit.refused)} of {count} files of {name} are unusable, over datasets.{name}.quarantine_limit = "
        f"{block.quarantine_limit}; the first: {first['name']}: {first['reason']}; all: {table}"
    )


def _card(name: str, block: Block, audit: Audit) -> dict[str, Any]:
    """dataset.json: what networks and protocols must know of the data. Split hashes cover keys, pixels and labels."""
    hashes = {split: hashlib.sha256() for split in ORDER}
    for row in audit.kept:
        hashes[row["split"]].update(f"{row['key']} {row['sha256']} {row['labels_sha256']}\n".encode())
    counts = Counter(row["split"] for row in audit.kept)
    card = {
        "name": name,
        "layout": block.layout,
        "size": block.size,
        "classes": _classes(block),
        "flip": block.flip,
        "counts": {split: counts[split] for split in ORDER},
        "sources": len({row["source"] for row in audit.kept}),
        "splits": {split: hashes[split].hexdigest() for split in ORDER},
        "quarantined": len(audit.refused),
        "duplicates": {"listed": len(audit.copies), "removed": sum(row["removed"] for row in audit.copies)},
    }
    return card | {"fingerprint": hashlib.sha256(json.dumps(card, sort_keys=True).encode()).hexdigest()}
