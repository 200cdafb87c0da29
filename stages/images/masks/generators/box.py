"""A box in the centre."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from stages.contract import Params
from stages.images.pixels import Bool


class Generator(Params):
    """A square hole in the centre; `side` is its share of the image's side (0.8 in paper 000, 0.5 in paper 001)."""

    generator: Literal["box"]
    side: Annotated[float, Field(gt=0, lt=1)]

    def draw(self, rng: np.random.Generator, size: int) -> Bool:
        """hole_HW (size, size); `rng` is not used."""
        side = min(max(round(self.side * size), 1), size - 1)
        first = (size - side) // 2
        hole_HW = np.zeros((size, size), dtype=np.bool_)
        hole_HW[first : first + side, first : first + side] = True
        return hole_HW
