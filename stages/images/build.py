"""A source becomes a dataset: tars, index, packed pixels, audit. Written aside, moved into place when it is whole."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from stages.images.dataset_params import DatasetParams
from stages.images.dataset_writer import DatasetWriter
from stages.images.index import index_of
from stages.images.keys import Keys
from stages.images.layouts import classes, layout
from stages.images.limits import refuse_losses
from stages.images.manifest import of_items
from stages.images.prepare import Prepared, Refused, prepare
from stages.images.sources.item import Item
from stages.project import tables
from stages.project.files import atomic_folder, write_json
from stages.project.hashing import of_folder
from stages.project.threads import in_order

ORDER = ("test", "val", "train")  # what training images are compared with comes first

Track = Callable[[Iterable[Item], str, int], Iterable[Item]]  # items as they come, a name, how many: a progress bar


def build(name: str, params: DatasetParams, folder: Path, track: Track, of: str = "") -> dict[str, Any]:
    """Make the dataset in `folder` and return its card (dataset.json).

    Finished tars that a process has left which was stopped are taken up, if it made the same: `of` is a digest of all
    that the dataset depends on; empty: nothing is taken up.
    UserError where more than `quarantine_limit` of the files are unusable, or more than `duplicates.limit` of train
    duplicates, or nothing of train is left: their list is then beside `folder`.
    """
    source = layout(params.layout)
    items = source.items(params)
    with atomic_folder(folder, of) as part:
        writer = DatasetWriter(name, params, part, Keys.of(items))
        for split in ORDER:
            own = [item for item in items if item.split == split][writer.done(split) :]
            writer.write(split, _prepared(track(own, split, len(own)), params))
        refuse_losses(writer.audit, params, Counter(item.split for item in items), folder.with_name(name))
        for table, frame in writer.audit.tables().items():
            tables.write(frame, part / table)
        tables.write_pieces(index_of(writer.ledger), part / "index")
        writer.ledger.remove()
        card = writer.audit.card(name, params, classes(params))
        card |= {"fingerprint": hashlib.sha256(json.dumps(card, sort_keys=True).encode()).hexdigest()}
        card |= source.card(items, params)
        card |= {"manifest": of_items(items, source.DATED), "files": of_folder(part)}
        write_json(part / "dataset.json", card)
    return card


def _prepared(items: Iterable[Item], params: DatasetParams) -> Iterator[Prepared | Refused]:
    """In the items' order, on all cores: decoding, resizing and encoding run outside Python's lock."""
    return in_order(partial(prepare, params=params, classes=classes(params)), items)
