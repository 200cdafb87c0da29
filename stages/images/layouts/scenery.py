"""Natural scenery, the outpainting set of NS-Outpainting."""

from stages.images.dataset_params import DatasetParams
from stages.images.sources.item import Item
from stages.images.sources.tree import Tree

TREE = Tree("https://github.com/z-x-yang/NS-Outpainting (natural scenery)", {"train": ("train",), "test": ("test",)})


def items(params: DatasetParams) -> list[Item]:
    """train/ and test/; val is a share of train."""
    return TREE.items(params)
