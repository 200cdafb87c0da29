"""Any folder of images: split by a file of yours, by its train/ val/ test/ folders, or by a hash of the names."""

from functools import partial
from pathlib import Path
from typing import Annotated

import pandas as pd
from pydantic import Field

from stages.contract import UserError
from stages.images.block import Block, Shares
from stages.images.dataset import SPLITS
from stages.images.names import image_files
from stages.images.sources.item import Item, fill_splits, read_map, root_of


class FolderBlock(Block):
    """The keys of layout `folder`."""

    shares: Shares = Shares(val=0.05, test=0.1)
    labels: str | None = None  # a folder of PNG label maps, named as the images
    classes: Annotated[int, Field(ge=0, le=255)] = 0  # of the label maps; 0: there are none


def items(block: Block) -> list[Item]:
    """Every image file under the root, at any depth."""
    assert isinstance(block, FolderBlock)
    root = root_of(block, "image files", "your own photographs")
    found = listed(block, root) if block.splits else in_folders(root)
    if not found:
        raise UserError(f"{root}: no image files there; looked for png, jpg, webp, bmp, tif at any depth")
    maps = root_of(block.model_copy(update={"root": block.labels}), "label maps", "your own") if block.labels else None
    return [with_map(item, maps) for item in fill_splits(found, block.shares, block.seed)]


def in_folders(root: Path) -> list[Item]:
    """All images, in the split that their first folder names; train where it names none."""
    names = image_files(root)
    return [Item(str(n), n.parts[0] if n.parts[0] in SPLITS else "train", root / n, str(n)) for n in names]


def listed(block: Block, root: Path) -> list[Item]:
    """The images of the split file, and no others; UserError names a row that cannot be right."""
    frame = _read(Path(str(block.splits)).expanduser())
    wrong = sorted(set(frame["split"]) - set(SPLITS))
    if wrong:
        raise UserError(f"{block.splits}: split {wrong[0]!r} is not one of {', '.join(SPLITS)}")
    twice = frame["path"][frame["path"].duplicated()]
    if len(twice):
        raise UserError(f"{block.splits}: {twice.iloc[0]} is listed twice; an image is in one split")
    missing = [name for name in frame["path"] if not (root / name).is_file()]
    if missing:
        raise UserError(f"{block.splits}: {len(missing)} files are not in {root}, the first is {missing[0]}")
    sources = frame["source"] if "source" in frame else frame["path"]
    rows = zip(frame["path"], frame["split"], sources, strict=True)
    return [Item(name, split, root / name, source) for name, split, source in rows]


def with_map(item: Item, maps: Path | None) -> Item:
    """The item with the label map of its name, where there is a folder of maps."""
    if maps is None:
        return item
    path = maps / Path(item.name).with_suffix(".png")
    return Item(item.name, item.split, item.path, item.source, partial(read_map, path), (path,))


def _read(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise UserError(f"{path}: no such split file; give csv or parquet (path, split), or text lines PATH SPLIT")
    if path.suffix == ".txt":
        rows = [line.rsplit(maxsplit=1) for line in path.read_text().splitlines() if line.strip()]
        short = [row for row in rows if len(row) != 2]
        if short:
            raise UserError(f"{path}: line {' '.join(short[0])!r} is not PATH SPLIT")
        frame = pd.DataFrame(rows, columns=["path", "split"])
    else:
        frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path, dtype=str)
    absent = [column for column in ("path", "split") if column not in frame]
    if absent:
        raise UserError(f"{path}: no column {absent[0]}; it needs path and split (and source, where images share one)")
    return frame.astype(str)
