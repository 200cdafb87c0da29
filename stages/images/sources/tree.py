"""A published dataset as folders of images: which folder is which split, and where to get them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stages.contract import UserError
from stages.images.dataset_params import DatasetParams
from stages.images.listing import image_names
from stages.images.sources.item import Item
from stages.images.sources.lists import read_lines
from stages.images.sources.root import root_of
from stages.images.sources.shares import fill_splits
from stages.images.sources.split_file import listed


@dataclass(frozen=True)
class Tree:
    """Split -> the folders it may lie in (the first that exists is taken)."""

    where: str
    splits: Mapping[str, tuple[str, ...]]
    only: str = ""  # a list in the root of the file names that test has, where it is there

    def items(self, params: DatasetParams) -> list[Item]:
        """The tree's images, or those of the user's split file; UserError says which folders were looked for."""
        root = self.root(params)
        found = listed(params, root) if params.splits else self.under(root)
        return fill_splits(found, params.shares, params.seed)

    def root(self, params: DatasetParams) -> Path:
        """The folder that the tree lies in; UserError says which folders are looked for in it."""
        looked_for = ", ".join(f"{' or '.join(folders)} ({split})" for split, folders in self.splits.items())
        return root_of(params, looked_for, self.where)

    def under(self, root: Path) -> list[Item]:
        """Every image of the tree's folders; UserError where one of them is not there."""
        return [item for split, folders in self.splits.items() for item in self._images(root, split, folders)]

    def _images(self, root: Path, split: str, folders: tuple[str, ...]) -> list[Item]:
        folder = next((root / name for name in folders if (root / name).is_dir()), None)
        if folder is None:
            raise UserError(f"{root}: looked for {' or '.join(folders)}; get it from {self.where}")
        names = image_names(folder)
        if split == "test" and self.only and (root / self.only).is_file():
            chosen = {line.split()[0] for line in read_lines(root / self.only)}
            names = [name for name in names if name in chosen]
        return [Item(f"{folder.name}/{name}", split, folder.parent) for name in names]
