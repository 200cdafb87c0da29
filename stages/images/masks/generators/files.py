"""A folder of mask files with declared polarity: drawn at random for training, paired by name for tests."""

from pathlib import Path
from typing import Literal

import numpy as np

from stages.contract import Params, UserError
from stages.images.files import read_mask
from stages.images.mask_levels import Mask
from stages.images.masks import mask_files
from stages.images.names import stem_of
from stages.images.pixels import Bool


class Generator(Params):
    """Mask files in `folder`, white or black in the hole; thresholded at 127, resized to the nearest pixel."""

    generator: Literal["files"]
    folder: str
    hole: Literal["white", "black"]
    suffix: str = ""  # what a mask's name has more than its image's, e.g. _mask; files without it are no masks
    low: float = 0.0  # declared hole ratios: outside of them a mask is doubted, not refused
    high: float = 1.0

    def draw(self, rng: np.random.Generator, size: int) -> Bool:
        """hole_HW (size, size) of a file chosen at random."""
        paths = [path for _, path in mask_files.named(self.folder, self.suffix)]
        return mask_files.hole_of(paths[int(rng.integers(len(paths)))], self.hole, size)

    def paired(self, name: Path) -> Mask:
        """The mask, of the file's own size, whose relative name is the image's; UserError where there is none."""
        paths, stem = mask_files.by_name(self.folder, self.suffix), stem_of(name)
        if stem not in paths:
            told = f"no mask named {stem}{self.suffix}.*; masks are paired with images by relative name"
            raise UserError(f"{self.folder}: {told}")
        return read_mask(paths[stem], self.hole)
