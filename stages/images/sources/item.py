"""One image of a source before it is prepared: where it is, which split it goes to, what it shares pixels with."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from stages.contract import UserError
from stages.images.block import Block, Shares
from stages.images.pixels import Uint8, decode_rgb
from stages.images.seeds import number


@dataclass(frozen=True)
class Item:
    """`name` is relative to the root and unique; `source` is what related images share (a photograph, a city)."""

    name: str
    split: str
    path: Path
    source: str
    labels: Callable[[], Uint8] | None = None
    beside: tuple[Path, ...] = ()  # further files it is made of: label maps

    def image(self, limit: int) -> Uint8:
        """uint8 RGB (H, W, 3); ValueError tells why it cannot be had."""
        return decode_rgb(self.path.read_bytes(), limit)


def root_of(block: Block, looked_for: str, where: str) -> Path:
    """The source's folder; UserError says what is looked for in it and where to get the data."""
    if block.root is None:
        raise UserError(f"dataset of layout {block.layout}: key root is missing; name the folder with {looked_for}")
    root = Path(os.path.expandvars(block.root)).expanduser()
    if not root.is_dir():
        raise UserError(f"{root}: no such folder; looked for {looked_for}; get it from {where}")
    return root


def fill_splits(items: list[Item], shares: Shares, seed: int) -> list[Item]:
    """Val and test, where there is none, taken from train by a hash of (seed, source): the same on every machine."""
    for split, share in (("test", shares.test), ("val", shares.val)):
        if any(item.split == split for item in items):
            continue
        drawn = _drawn({item.source for item in items if item.split == "train"}, share, f"{seed}/{split}")
        items = [
            replace(item, split=split) if item.split == "train" and item.source in drawn else item for item in items
        ]
    return items


def _drawn(sources: set[str], share: float, salt: str) -> set[str]:
    if not sources or not share:
        return set()
    hashes = {source: number(f"{salt}/{source}") for source in sorted(sources)}
    least = min(hashes, key=hashes.__getitem__)  # a small folder has a val image too
    return {source for source, value in hashes.items() if value / 2**64 < share} | {least}


def read_map(path: Path) -> Uint8:
    """A label map's own values as uint8 (H, W): a grey or palette PNG; ValueError where it is neither."""
    try:
        with Image.open(path) as image:
            if image.mode not in {"L", "P", "1"}:
                raise ValueError(f"label map {path.name}: mode {image.mode} where one class a pixel is expected")
            return np.asarray(image, dtype=np.uint8)
    except (OSError, SyntaxError) as error:
        raise ValueError(f"label map {path.name}: {error}") from error
