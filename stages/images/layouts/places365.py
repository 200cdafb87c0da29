"""Places365-Standard, large images; the papers test on the 36,500 of val."""

from stages.images.dataset_params import DatasetParams
from stages.images.sources.item import Item
from stages.images.sources.tree import Tree

TREE = Tree(
    "http://places2.csail.mit.edu/download.html (Places365-Standard, large images)",
    {"train": ("data_large",), "test": ("val_large",)},
    only="places365_val.txt",
)


def items(params: DatasetParams) -> list[Item]:
    """data_large/ for training; of val_large/ the images that places365_val.txt names, or all."""
    return TREE.items(params)
