"""Paris StreetView, to be asked for from the authors of Context Encoders."""

from stages.images.dataset_params import DatasetParams
from stages.images.sources.item import Item
from stages.images.sources.tree import Tree

TREE = Tree(
    "the authors of Context Encoders, https://github.com/pathak22/context-encoder",
    {
        "train": ("paris_street_view/train", "paris_train_original", "train"),
        "test": ("paris_street_view/val", "paris_eval_gt", "val"),
    },
)


def items(params: DatasetParams) -> list[Item]:
    """The training images and the 100 of val as test images, under the folders' several names."""
    return TREE.items(params)
