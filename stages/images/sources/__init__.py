"""Where images come from: one row a layout."""

from collections.abc import Callable
from dataclasses import dataclass

from stages.images.block import Block
from stages.images.sources import celeba_hq, cityscapes, folder, photographs, trees
from stages.images.sources.item import Item


@dataclass(frozen=True)
class Layout:
    """How a layout lists its images, which keys it has, how many classes its label maps have (0: none)."""

    items: Callable[[Block], list[Item]]
    block: type[Block] = Block
    classes: int = 0
    dated: bool = True  # are its files' times part of its manifest?


LAYOUTS = {
    "photographs": Layout(photographs.items, photographs.PhotographsBlock, dated=False),  # times are the installer's
    "folder": Layout(folder.items, folder.FolderBlock),
    "celeba_hq": Layout(celeba_hq.items),
    "celebamask_hq": Layout(celeba_hq.items_with_parts, classes=15),
    "cityscapes": Layout(cityscapes.items, classes=20),
    "ost": Layout(trees.of("ost"), trees.OstBlock, classes=9),
    **{name: Layout(trees.of(name)) for name in trees.TREES if name != "ost"},
}
