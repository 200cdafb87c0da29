"""Strokes and boxes drawn until a hole-ratio bin is met (the bins of papers 002 and 003)."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from stages.contract import Params
from stages.images.masks.strokes import SIDE, boxes, brush, resized
from stages.images.pixels import Bool

NARROWEST = 0.02  # a narrower bin is too seldom met


class Generator(Params):
    """Pieces are added up to a ratio drawn uniformly in (low, high]; a mask that ends above `high` is drawn again."""

    generator: Literal["bin"]
    low: Annotated[float, Field(ge=0, lt=1)]
    high: Annotated[float, Field(gt=0, le=0.95)]

    @model_validator(mode="after")
    def _wide_enough(self) -> "Generator":
        if self.high - self.low < NARROWEST - 1e-9:
            raise ValueError(f"a bin's high is at least {NARROWEST} above its low")
        return self

    def draw(self, rng: np.random.Generator, size: int) -> Bool:
        """hole_HW (size, size) with low < hole ratio <= high, at that very size."""
        while True:
            hole_HW = self._attempt(rng, size)
            if self.low < np.count_nonzero(hole_HW) / hole_HW.size <= self.high:
                return hole_HW

    def _attempt(self, rng: np.random.Generator, size: int) -> Bool:
        canvas_HW = np.zeros((SIDE, SIDE), dtype=np.uint8)
        target = rng.uniform(self.low, self.high) * canvas_HW.size
        while np.count_nonzero(canvas_HW) <= target:
            if rng.random() < 0.5:  # as often a stroke as a box, so that neither shape gives a bin away
                brush(canvas_HW, rng, 1)
            else:
                boxes(canvas_HW, rng, 1, SIDE // 2)
        return resized(canvas_HW, size)
