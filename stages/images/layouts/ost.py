"""Outdoor Scenes (OST), with label maps where they are given."""

from pathlib import Path

from stages.images.dataset_params import DatasetParams
from stages.images.sources.item import Item
from stages.images.sources.label_maps import with_map
from stages.images.sources.tree import Tree

CLASSES = 9
TREE = Tree(
    "https://github.com/xinntao/SFTGAN (Outdoor Scenes)",
    {"train": ("OutdoorSceneTrain_v2",), "test": ("OutdoorSceneTest300",)},
)


class Params(DatasetParams):
    """The keys of layout `ost`."""

    labels: str | None = None  # a folder of PNG maps in the images' tree: 0 background, 1 sky ... 7 animal, 8 void


def items(params: Params) -> list[Item]:
    """OutdoorSceneTrain_v2/ and OutdoorSceneTest300/, each image with its map where there is a folder of maps."""
    maps = Path(params.labels).expanduser() if params.labels else None
    return [with_map(item, maps, TREE.root(params)) for item in TREE.items(params)]
