"""CelebA-HQ in CelebA's own partition (24,183 / 2,993 / 2,824)."""

from pathlib import Path

from stages.contract import UserError
from stages.images.dataset_params import DatasetParams
from stages.images.listing import image_files
from stages.images.sources.item import Item
from stages.images.sources.lists import read_lines
from stages.images.sources.root import root_of
from stages.images.sources.shares import fill_splits
from stages.images.sources.split_file import listed
from stages.images.sources.tree import Tree

WHERE = "https://github.com/switchablenorms/CelebAMask-HQ"
PARTITIONS = {"0": "train", "1": "val", "2": "test"}
RESIZED = Tree(WHERE, {"train": ("train_256",), "test": ("test_256",)})
IMAGES, MAPPING, PARTITION = "CelebA-HQ-img", "CelebA-HQ-to-CelebA-mapping.txt", "list_eval_partition.txt"


def items(params: DatasetParams) -> list[Item]:
    """CelebA-HQ-img/ by its partition, or train_256/ and test_256/, or what a split file names."""
    root = root_of(params, f"{IMAGES}/ or train_256/ and test_256/", WHERE)
    if params.splits:
        found = listed(params, root)
    elif (root / IMAGES).is_dir():
        found = _partitioned(root)
    else:
        found = RESIZED.under(root)
    return fill_splits(found, params.shares, params.seed)


def _partitioned(root: Path) -> list[Item]:
    for name in (MAPPING, PARTITION):
        if not (root / name).is_file():
            raise UserError(
                f"{root / name}: no such file; it gives CelebA's partition; get it from {WHERE}, or set splits"
            )
    partition = {original: PARTITIONS.get(split) for original, split in _rows(root / PARTITION, 2)}
    splits = {}
    for index, _, original in _rows(root / MAPPING, 3)[1:]:  # below the columns' names
        split = partition.get(original)
        if split is None:
            raise UserError(f"{root / PARTITION}: no split 0, 1 or 2 of {original}; get the file from {WHERE}")
        splits[index] = split
    names = [name for name in image_files(root / IMAGES) if name.stem.isdigit() and str(int(name.stem)) in splits]
    return [Item(str(name), splits[str(int(name.stem))], root / IMAGES) for name in names]


def _rows(path: Path, columns: int) -> list[list[str]]:
    rows = [line.split() for line in read_lines(path)]
    for row in rows:
        if len(row) != columns:
            raise UserError(f"{path}: line {' '.join(row)!r} has not {columns} columns; get the file from {WHERE}")
    return rows
