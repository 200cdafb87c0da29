"""A folder of mask files with declared polarity: drawn at random for training, paired by name for tests."""

from functools import lru_cache
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from stages.contract import Params, UserError
from stages.images.files import read_hole, read_mask
from stages.images.listing import image_files
from stages.images.mask_levels import Mask
from stages.images.names import beside, distinct, stem_of
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
        paths = [path for _, path in _named(self.folder, self.suffix)]
        hole_HW = read_hole(paths[int(rng.integers(len(paths)))], self.hole).astype(np.uint8)
        return cv2.resize(hole_HW, (size, size), interpolation=cv2.INTER_NEAREST).view(np.bool_)

    def paired(self, name: Path) -> Mask:
        """The mask, of the file's own size, whose relative name is the image's; UserError where there is none."""
        paths, stem = _by_name(self.folder, self.suffix), stem_of(name)
        if stem not in paths:
            told = f"no mask named {stem}{self.suffix}.*; masks are paired with images by relative name"
            raise UserError(f"{self.folder}: {told}")
        return read_mask(paths[stem], self.hole)


@lru_cache(maxsize=8)
def _by_name(folder: str, suffix: str) -> dict[str, Path]:
    return distinct(_named(folder, suffix), "is a mask of the same image; keep one of the two")


@lru_cache(maxsize=8)
def _named(folder: str, suffix: str) -> list[tuple[str, Path]]:
    """Mask files, each with the name of its image; images that have their masks beside them (LaMa's) are no masks."""
    root = Path(folder).expanduser()
    stems = {name: stem_of(name) for name in image_files(root)}
    if suffix:
        found = [(stem.removesuffix(suffix), root / name) for name, stem in stems.items() if stem.endswith(suffix)]
    else:
        image_of = beside(stems.values())
        images = set(image_of.values())
        found = [(image_of.get(stem, stem), root / name) for name, stem in stems.items() if stem not in images]
    if not found:
        ending = f" whose names end with {suffix}" if suffix else ""
        raise UserError(f"{folder}: no mask files there{ending}; give a folder of PNG masks")
    return found
