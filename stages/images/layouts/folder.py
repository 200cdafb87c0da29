"""Any folder of images: split by a file of yours, by its train/ val/ test/ folders, or by a hash of the names."""

import os
from pathlib import Path
from typing import Annotated

from pydantic import Field

from stages.contract import UserError
from stages.images.dataset import SPLITS
from stages.images.dataset_params import DatasetParams, Shares
from stages.images.listing import ENDINGS, image_names
from stages.images.sources.item import Item
from stages.images.sources.label_maps import with_map
from stages.images.sources.root import existing, root_of
from stages.images.sources.shares import fill_splits
from stages.images.sources.split_file import listed


class Params(DatasetParams):
    """The keys of layout `folder`."""

    shares: Shares = Shares(val=0.05, test=0.1)
    labels: str | None = None  # a folder of PNG label maps, named as the images
    classes: Annotated[int, Field(ge=0, le=255)] = 0  # of the label maps; 0: there are none


def items(params: Params) -> list[Item]:
    """Every image file under the root, at any depth."""
    root = root_of(params, "image files", "your own photographs")
    found = listed(params, root) if params.splits else _in_folders(root)
    if not found:
        raise UserError(f"{root}: no image files there; looked for {' '.join(sorted(ENDINGS))} at any depth")
    maps = existing(params.labels, "label maps", "your own") if params.labels else None
    return [with_map(item, maps, root) for item in fill_splits(found, params.shares, params.seed)]


def _in_folders(root: Path) -> list[Item]:
    """All images, in the split that their first folder names; train where it names none.

    UserError where such a folder is a link that leads nowhere: its split would be drawn from train instead.
    """
    for place in (root / split for split in SPLITS):
        if place.is_symlink() and not place.exists():
            raise UserError(f"{place}: a link to {place.readlink()}, which is not there; mend it, or take it away")
    return [Item(name, _split(name), root) for name in image_names(root)]


def _split(name: str) -> str:
    first = name.split(os.sep, 1)[0]
    return next((split for split in SPLITS if split == first), "train")
