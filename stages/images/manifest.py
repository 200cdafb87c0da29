"""A digest of a source: names, sizes and times of its files, so that a change is noticed without reading them."""

import hashlib

from stages.images.dataset_params import DatasetParams
from stages.images.layouts import layout
from stages.images.sources.item import Item


def manifest(params: DatasetParams) -> str:
    """16 hex digits over (name, split, size, time) of every image and label file of the dataset's source.

    For `photographs`, whose times are the installer's, names and sizes alone: the same on every machine.
    """
    source = layout(params.layout)
    return of_items(source.items(params), source.DATED)


def of_items(items: list[Item], dated: bool) -> str:
    """The same for items that are at hand; a file that is gone counts as one of size -1."""
    digest = hashlib.sha256()
    for item in sorted(items, key=lambda item: item.name):
        digest.update(f"{item.name}\0{item.split}".encode())
        for name, size, time in item.stamps():
            digest.update(f"\0{name}\0{size}\0{time if dated else 0}".encode())
        digest.update(b"\n")
    return digest.hexdigest()[:16]
