"""Free-form holes as MAT's generators draw them, re-derived from the published counts."""

from typing import Literal

import numpy as np

from stages.contract import Params
from stages.images.masks.strokes import SIDE, boxes, brush, resized
from stages.images.pixels import Bool, Uint8

# size: (boxes below half the side, boxes below the side, strokes); a mask has 0 .. count - 1 of each
COUNTS = {"small": (2, 2, 3), "large": (4, 2, 8), "large512": (5, 3, 9)}


class Generator(Params):
    """Boxes and brush strokes in MAT's counts; `large512` are its counts for 512 px, as the released latent codes use.

    Mean hole ratio .222 (small), .405 (large), .485 (large512) at every image size: drawn at 256, then resized.
    """

    generator: Literal["free_form"]
    size: Literal["small", "large", "large512"]

    def draw(self, rng: np.random.Generator, size: int) -> Bool:
        """hole_HW (size, size), neither empty nor whole."""
        while True:
            hole_HW = resized(_canvas(rng, COUNTS[self.size]), size)
            if hole_HW.any() and not hole_HW.all():  # each stops at the first pixel that decides
                return hole_HW


def _canvas(rng: np.random.Generator, counts: tuple[int, int, int]) -> Uint8:
    canvas_HW = np.zeros((SIDE, SIDE), dtype=np.uint8)
    halves, wholes, strokes = (rng.random(3) * counts).astype(int).tolist()
    brush(canvas_HW, rng, strokes)
    boxes(canvas_HW, rng, halves, SIDE // 2)
    boxes(canvas_HW, rng, wholes, SIDE)
    return canvas_HW
