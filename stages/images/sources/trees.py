"""Published datasets that are folders of images, a row each: which folder is which split, and where to get them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from stages.contract import UserError
from stages.images.block import Block
from stages.images.names import image_files
from stages.images.sources.folder import listed, with_map
from stages.images.sources.item import Item, fill_splits, root_of


@dataclass(frozen=True)
class Tree:
    """Split -> the folders it may lie in (the first that exists is taken)."""

    where: str
    splits: Mapping[str, tuple[str, ...]]
    only: str = ""  # a list in the root of the file names that test has, where it is there

    @property
    def looked_for(self) -> str:
        return ", ".join(f"{' or '.join(folders)} ({split})" for split, folders in self.splits.items())


TREES = {
    "places365": Tree(
        "http://places2.csail.mit.edu/download.html (Places365-Standard, large images)",
        {"train": ("data_large",), "test": ("val_large",)},  # the papers test on the 36,500 of val
        only="places365_val.txt",
    ),
    "paris_streetview": Tree(
        "the authors of Context Encoders, https://github.com/pathak22/context-encoder",
        {
            "train": ("paris_street_view/train", "paris_train_original", "train"),
            "test": ("paris_street_view/val", "paris_eval_gt", "val"),
        },
    ),
    "imagenet": Tree("https://image-net.org/download.php (ILSVRC2012)", {"train": ("train",), "test": ("val",)}),
    "metfaces": Tree("https://github.com/NVlabs/metfaces-dataset", {"train": ("images",)}),
    "scenery": Tree(
        "https://github.com/z-x-yang/NS-Outpainting (natural scenery)", {"train": ("train",), "test": ("test",)}
    ),
    "ost": Tree(
        "https://github.com/xinntao/SFTGAN (Outdoor Scenes)",
        {"train": ("OutdoorSceneTrain_v2",), "test": ("OutdoorSceneTest300",)},
    ),
}


class OstBlock(Block):
    """The keys of layout `ost`."""

    labels: str | None = None  # a folder of PNG maps in the images' tree: 0 background, 1 sky ... 7 animal, 8 void


def items(layout: str, block: Block) -> list[Item]:
    """The images of a row of TREES; UserError says which folders were looked for and where to get them."""
    tree = TREES[layout]
    root = root_of(block, tree.looked_for, tree.where)
    found = listed(block, root) if block.splits else in_tree(root, tree)
    maps = Path(block.labels).expanduser() if isinstance(block, OstBlock) and block.labels else None
    return [with_map(item, maps) for item in fill_splits(found, block.shares, block.seed)]


def in_tree(root: Path, tree: Tree) -> list[Item]:
    """Every image of the tree's folders; UserError where one of them is not there."""
    found: list[Item] = []
    for split, folders in tree.splits.items():
        folder = next((root / name for name in folders if (root / name).is_dir()), None)
        if folder is None:
            raise UserError(f"{root}: looked for {' or '.join(folders)}; get it from {tree.where}")
        names = image_files(folder)
        if split == "test" and tree.only and (root / tree.only).is_file():
            chosen = {line.split()[0] for line in (root / tree.only).read_text().splitlines() if line.strip()}
            names = [name for name in names if str(name) in chosen]
        found += [Item(f"{folder.name}/{name}", split, folder / name, f"{folder.name}/{name}") for name in names]
    return found


def of(layout: str) -> partial[list[Item]]:
    """`items` for one row of TREES."""
    return partial(items, layout)
