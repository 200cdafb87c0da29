"""CamVid: street scenes out of a moving car, with maps of 11 classes and a rest."""

from pathlib import Path

from stages.contract import UserError
from stages.images.dataset import SPLITS
from stages.images.dataset_params import DatasetParams, Shares
from stages.images.listing import image_files
from stages.images.sources.item import Item
from stages.images.sources.label_maps import with_map
from stages.images.sources.root import root_of
from stages.images.sources.shares import fill_from_the_end
from stages.images.sources.split_file import listed

# Sky, Building, Pole, Road, Pavement, Tree, SignSymbol, Fence, Car, Pedestrian, Bicyclist; 11: unlabelled, a class of
# its own as Cityscapes' rest is
CLASSES = 12
WHERE = "http://mi.eng.cam.ac.uk/research/projects/VideoRec/CamVid (its 32 colours as the 11 classes, a PNG an image)"


class Params(DatasetParams):
    """The keys of layout `camvid`."""

    shares: Shares = Shares(val=0.1)  # of train, its last frames by name: one stretch of one video; ours


def items(params: Params) -> list[Item]:
    """The frames of <split>/images/, or those of a split file, each with its map of the same name in labels/ beside."""
    root = root_of(params, "train/images/, train/labels/, test/images/ and test/labels/", WHERE)
    found = listed(params, root) if params.splits else _in_folders(root)
    return [_with_map(item) for item in fill_from_the_end(found, params.shares)]


def _in_folders(root: Path) -> list[Item]:
    splits = [split for split in SPLITS if split != "val" or (root / "val/images").is_dir()]
    return [item for split in splits for item in _of_split(root, split)]


def _of_split(root: Path, split: str) -> list[Item]:
    for kind in ("images", "labels"):
        if not (folder := root / split / kind).is_dir():
            raise UserError(f"{folder}: no such folder; get it from {WHERE}")
    names = [f"{split}/images/{name}" for name in image_files(root / split / "images", deep=False)]
    return [Item(name, split, root) for name in names]


def _with_map(item: Item) -> Item:
    images = item.path.parent
    return with_map(item, images.with_name("labels"), images)
