"""CelebA-HQ in CelebA's own partition (24,183 / 2,993 / 2,824)."""

from pathlib import Path

from stages.contract import UserError
from stages.images.dataset_params import DatasetParams
from stages.images.names import image_files
from stages.images.sources.item import Item
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
    partition = dict(line.split()[:2] for line in (root / PARTITION).read_text().splitlines() if line.strip())
    rows = [line.split() for line in (root / MAPPING).read_text().splitlines()[1:] if line.strip()]
    splits = {index: PARTITIONS[partition[original]] for index, _, original in rows}
    names = [name for name in image_files(root / IMAGES) if name.stem.isdigit() and str(int(name.stem)) in splits]
    return [Item(str(n), splits[str(int(n.stem))], root / IMAGES / n, str(n)) for n in names]
