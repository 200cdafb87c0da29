"""MetFaces: works of art, split by a hash of the names."""

from stages.images.dataset_params import DatasetParams
from stages.images.sources.item import Item
from stages.images.sources.tree import Tree

TREE = Tree("https://github.com/NVlabs/metfaces-dataset", {"train": ("images",)})


def items(params: DatasetParams) -> list[Item]:
    """The images of images/; val and test are shares of them."""
    return TREE.items(params)
