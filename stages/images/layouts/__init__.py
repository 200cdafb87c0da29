"""How published datasets, and yours, lie in their folders: `layout: NAME` in params.yaml is NAME.py of this folder."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from stages.contract import UserError
from stages.images.dataset_params import DatasetParams
from stages.images.sources.item import Item
from stages.project import plugins
from stages.project.params import dig, nearest, validate


class LayoutModule(Protocol):
    """A file of this folder. It may also define what differs from `Layout`'s defaults: Params, CLASSES, DATED, card."""

    def items(self, params: Any, /) -> list[Item]:
        """Every image of the source, with its split; UserError says what is missing and where to get it."""
        ...


@dataclass(frozen=True)
class Layout:
    """A layout's file with the defaults of what it leaves out."""

    items: Callable[[Any], list[Item]]
    Params: type[DatasetParams] = DatasetParams  # the keys of its datasets' blocks
    CLASSES: int = 0  # of its label maps; 0: there are none
    DATED: bool = True  # are its files' times part of its manifest?
    card: Callable[[list[Item], Any], dict[str, Any]] = lambda items, params: {}  # what dataset.json has besides

    @classmethod
    def of(cls, module: LayoutModule) -> "Layout":
        """The layout that a file defines."""
        stated = {
            name: getattr(module, name) for name in ("Params", "CLASSES", "DATED", "card") if hasattr(module, name)
        }
        return cls(module.items, **stated)


def layout(name: str, key: str = "layout") -> Layout:
    """The layout of that name; UserError names the `key` of params and the nearest known name."""
    known = plugins.names(__name__)
    if name not in known:
        raise UserError(f"params: {key} = {name!r} is not a layout{nearest(str(name), known)}")
    return Layout.of(plugins.find(__name__, name))


def dataset_params(values: Mapping[str, Any], dataset: str) -> DatasetParams:
    """A dataset's validated block of params.yaml, with its layout's keys."""
    where = f"datasets.{dataset}"
    block = dig(values, where)
    return validate(layout(block.get("layout"), f"{where}.layout").Params, block, where)


def classes(params: DatasetParams) -> int:
    """Classes of a dataset's label maps: its own key where it has one, else its layout's; 0: there are no maps."""
    return getattr(params, "classes", layout(params.layout).CLASSES)
