"""Which law a block of `masks` in params.yaml names."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from pydantic import ValidationError

from stages.contract import UserError
from stages.images.masks.bins import Bin
from stages.images.masks.files import Files
from stages.images.masks.free_form import FreeForm
from stages.images.masks.shapes import Border, Box
from stages.images.pixels import Bool

Law = FreeForm | Box | Border | Bin | Files
LAWS: dict[str, type[Law]] = {"free_form": FreeForm, "box": Box, "border": Border, "bin": Bin, "files": Files}


class MaskLaw(Protocol):
    """A seeded law of holes: the same generator state and size give the same hole."""

    def draw(self, rng: np.random.Generator, size: int) -> Bool:
        """hole_HW (size, size), True where a pixel is missing."""
        ...


def law(block: Mapping[str, Any]) -> Law:
    """The law of a params block, e.g. {law: box, side: 0.8}; UserError names the wrong key."""
    name = str(block.get("law"))
    if name not in LAWS:
        raise UserError(f"masks: law {name!r} is not one of {', '.join(LAWS)}")
    try:
        return LAWS[name].model_validate(dict(block))
    except ValidationError as error:
        issue = error.errors()[0]
        key = ".".join(map(str, ("law", name, *issue["loc"])))
        raise UserError(f"masks: {key}: {issue['msg']} (got {issue['input']!r})") from error
