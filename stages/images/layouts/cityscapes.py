"""Cityscapes: leftImg8bit/ with the label maps of gtFine/, its 34 ids mapped to the 19 evaluated classes and a rest."""

from functools import partial
from pathlib import Path

import numpy as np

from stages.contract import UserError
from stages.images.dataset_params import DatasetParams
from stages.images.listing import image_files
from stages.images.pixels import Uint8
from stages.images.sources.item import Item
from stages.images.sources.label_maps import read_map
from stages.images.sources.root import root_of
from stages.images.sources.shares import fill_splits

CLASSES = 20
WHERE = "https://www.cityscapes-dataset.com (leftImg8bit_trainvaltest.zip, gtFine_trainvaltest.zip)"
FOLDERS = {"train": "train", "test": "val"}  # the 500 of val are the papers' test images; test/ has no public labels
EVALUATED = (7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33)
CLASS_OF_ID = np.zeros(256, dtype=np.uint8)  # class 0: every id that is not evaluated
CLASS_OF_ID[list(EVALUATED)] = np.arange(1, len(EVALUATED) + 1)


def items(params: DatasetParams) -> list[Item]:
    """2,975 training images (of which val is taken) and 500 test images, each with its map of 20 classes."""
    root = root_of(params, "leftImg8bit/ and gtFine/", WHERE)
    found: list[Item] = []
    for split, folder in FOLDERS.items():
        for needed in ("leftImg8bit", "gtFine"):
            if not (root / needed / folder).is_dir():
                raise UserError(f"{root / needed / folder}: no such folder; get it from {WHERE}")
        found += [_item(root, split, folder, name) for name in image_files(root / "leftImg8bit" / folder)]
    return fill_splits(found, params.shares, params.seed)


def _item(root: Path, split: str, folder: str, name: Path) -> Item:
    labels = name.with_name(name.stem.removesuffix("_leftImg8bit") + "_gtFine_labelIds.png")
    path = root / "gtFine" / folder / labels
    images = root / "leftImg8bit"
    return Item(f"{folder}/{name}", split, images, str(name), labels=partial(_read_classes, path), beside=(path,))


def _read_classes(path: Path) -> Uint8:
    return CLASS_OF_ID[read_map(path)]
