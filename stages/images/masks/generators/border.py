"""Borders, for outpainting."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from stages.contract import Params
from stages.images.pixels import Bool


class Generator(Params):
    """Outpainting: a hole of `width` (share of the side) along each of `sides`."""

    generator: Literal["border"]
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
