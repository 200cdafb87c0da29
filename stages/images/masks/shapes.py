"""Holes with a fixed place: a centre box, and borders for outpainting."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from stages.contract import Params
from stages.images.pixels import Bool

Share = Annotated[float, Field(gt=0, lt=1)]


class Box(Params):
    """A square hole in the centre; `side` is its share of the image's side (0.8 in paper 000, 0.5 in paper 001)."""

    law: Literal["box"]
    side: Share

    def draw(self, rng: np.random.Generator, size: int) -> Bool:
        """hole_HW (size, size); `rng` is not used."""
        side = min(max(round(self.side * size), 1), size - 1)
        first = (size - side) // 2
        hole_HW = np.zeros((size, size), dtype=np.bool_)
        hole_HW[first : first + side, first : first + side] = True
        return hole_HW


class Border(Params):
    """Outpainting: a hole of `width` (share of the side) along each of `sides`."""

    law: Literal["border"]
    width: Annotated[float, Field(gt=0, lt=0.5)]
    sides: tuple[Literal["left", "right", "top", "bottom"], ...] = Field(
        default=("left", "right", "top", "bottom"), min_length=1
    )

    def draw(self, rng: np.random.Generator, size: int) -> Bool:
        """hole_HW (size, size); `rng` is not used."""
        width = max(round(self.width * size), 1)
        margin = {side: width if side in self.sides else 0 for side in ("left", "right", "top", "bottom")}
        hole_HW = np.ones((size, size), dtype=np.bool_)
        hole_HW[margin["top"] : size - margin["bottom"], margin["left"] : size - margin["right"]] = False
        return hole_HW
