"""A folder of mask files with declared polarity: drawn at random for training, paired by name for tests."""

from functools import lru_cache
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from stages.contract import Params, UserError
from stages.images.files import read_hole
from stages.images.names import image_files, key_of
from stages.images.pixels import Bool


class Generator(Params):
    """Mask files in `folder`, white or black in the hole; thresholded at 127, resized to the nearest pixel."""

    generator: Literal["files"]
    folder: str
    hole: Literal["white", "black"]
    suffix: str = ""  # what a mask's name has more than its image's, e.g. _mask
    low: float = 0.0  # declared hole ratios: outside of them a mask is doubted, not refused
    high: float = 1.0

    def draw(self, rng: np.random.Generator, size: int) -> Bool:
        """hole_HW (size, size) of a file chosen at random."""
        paths = list(_by_key(self.folder, self.suffix).values())
        return self._read(paths[int(rng.integers(len(paths)))], size)

    def paired(self, key: str, size: int) -> Bool:
        """hole_HW (size, size) of the file named like the image; UserError where there is none."""
        paths = _by_key(self.folder, self.suffix)
        if key not in paths:
            raise UserError(f"{self.folder}: no mask named {key}{self.suffix}; masks are paired with images by name")
        return self._read(paths[key], size)

    def _read(self, path: Path, size: int) -> Bool:
        hole_HW = read_hole(path, self.hole).astype(np.uint8)
        return cv2.resize(hole_HW, (size, size), interpolation=cv2.INTER_NEAREST).view(np.bool_)


@lru_cache(maxsize=8)
def _by_key(folder: str, suffix: str) -> dict[str, Path]:
    root = Path(folder).expanduser()
    paths = {
        key_of(name.with_name(name.stem.removesuffix(suffix) + name.suffix)): root / name for name in image_files(root)
    }
    if not paths:
        raise UserError(f"{folder}: no mask files there; give a folder of PNG masks")
    return paths
