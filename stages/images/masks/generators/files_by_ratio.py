"""A folder of mask files sorted by their measured hole ratios: what Liu et al.'s irregular test masks are for.

Their names tell no ratio that could be relied on, and no image: a test image has one of the bin's by its own key.
"""

from bisect import bisect_right
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from stages.contract import Params, UserError
from stages.images.masks import mask_files
from stages.images.pixels import Bool


class Generator(Params):
    """Of the mask files in `folder` those with low < hole ratio <= high, as it is measured at the images' size.

    Files are white or black in the hole; thresholded at 127, resized to the nearest pixel.
    """

    generator: Literal["files_by_ratio"]
    folder: str
    hole: Literal["white", "black"]
    low: Annotated[float, Field(ge=0, lt=1)]
    high: Annotated[float, Field(gt=0, le=1)]

    def draw(self, rng: np.random.Generator, size: int) -> Bool:
        """hole_HW (size, size) of a file of the bin chosen at random; UserError where no file is in it."""
        paths, ratios = _sorted(self.folder, self.hole, size)
        first, end = bisect_right(ratios, self.low), bisect_right(ratios, self.high)
        if first == end:
            told = f"its {len(paths)} mask files have hole ratios of {ratios[0]:.3f} to {ratios[-1]:.3f}"
            raise UserError(
                f"{self.folder}: {told}, none in {self.low}-{self.high}; is `hole: {self.hole}` declared rightly?"
            )
        return mask_files.hole_of(paths[first + int(rng.integers(end - first))], self.hole, size)


@lru_cache(maxsize=8)
def _sorted(folder: str, hole: str, size: int) -> tuple[list[Path], list[float]]:
    """All files by their ratios, and the ratios; every file is read once."""
    files = mask_files.named(folder, "")
    measured = sorted((float(mask_files.hole_of(path, hole, size).mean()), path) for _, path in files)
    return [path for _, path in measured], [ratio for ratio, _ in measured]
