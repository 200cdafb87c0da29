"""Which generator a block of `masks` in params.yaml names, and what may be asked of a generator."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from stages.contract import UserError
from stages.images.mask_levels import Mask
from stages.images.pixels import Bool
from stages.project import plugins
from stages.project.params import nearest, validate

PACKAGE = "stages.images.masks.generators"


class MaskGenerator(Protocol):
    """A seeded generator of holes: the same generator state and size give the same hole."""

    def draw(self, rng: np.random.Generator, size: int) -> Bool:
        """hole_HW (size, size), True where a pixel is missing."""
        ...


@runtime_checkable
class Paired(Protocol):
    """A generator whose masks belong to images: a test image has the one of its own name, not one that is drawn."""

    def paired(self, name: Path) -> Mask:
        """The mask, of its own size, of the image with that relative file name; UserError where there is none."""
        ...


@runtime_checkable
class DeclaresRatios(Protocol):
    """A generator that says between which ratios its holes lie."""

    @property
    def low(self) -> float: ...

    @property
    def high(self) -> float: ...


def generator_of(block: Mapping[str, Any], where: str = "masks.*") -> MaskGenerator:
    """The generator of a params block, e.g. {generator: box, side: 0.8}: the `Generator` of generators/<name>.py.

    UserError names the wrong key, which is in the block `where`, and the nearest known name.
    """
    name, known = str(block.get("generator")), plugins.names(PACKAGE)
    if name not in known:
        raise UserError(f"params: {where}.generator = {name!r} is not a mask generator{nearest(name, known)}")
    return validate(plugins.find(PACKAGE, name).Generator, block, where)


def renamed(block: Mapping[str, Any]) -> dict[str, Any]:
    """A block that an earlier version stored, in today's words."""
    return {"generator" if name == "law" else name: value for name, value in block.items()}
