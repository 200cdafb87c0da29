"""ImageNet (ILSVRC2012); val is the test split."""

from stages.images.dataset_params import DatasetParams
from stages.images.sources.item import Item
from stages.images.sources.tree import Tree

TREE = Tree("https://image-net.org/download.php (ILSVRC2012)", {"train": ("train",), "test": ("val",)})


def items(params: DatasetParams) -> list[Item]:
    """train/ and val/, with or without a folder a class."""
    return TREE.items(params)
