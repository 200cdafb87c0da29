"""A folder of mask files: which there are, and the image that each one's name tells."""

import os
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from stages.contract import UserError
from stages.images.files import read_hole
from stages.images.listing import image_files
from stages.images.names import beside, distinct, stem_of
from stages.images.pixels import Bool


@lru_cache(maxsize=8)
def by_name(folder: str, suffix: str) -> dict[str, Path]:
    """Mask files by the names of their images; UserError where an image has two."""
    return distinct(named(folder, suffix), "is a mask of the same image; keep one of the two")


@lru_cache(maxsize=8)
def named(folder: str, suffix: str) -> list[tuple[str, Path]]:
    """Mask files, each with the name of its image; images that have their masks beside them (LaMa's) are no masks.

    ~ and $VARIABLES in `folder` are expanded; `suffix` is what a mask's name has more than its image's.
    """
    root = Path(os.path.expandvars(folder)).expanduser()
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


def hole_of(path: Path, hole: str, size: int) -> Bool:
    """hole_HW (size, size) of a mask file, thresholded at 127 and resized to the nearest pixel."""
    hole_HW = read_hole(path, hole).astype(np.uint8)
    return cv2.resize(hole_HW, (size, size), interpolation=cv2.INTER_NEAREST).view(np.bool_)
