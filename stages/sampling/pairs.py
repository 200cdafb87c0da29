"""Images and their masks, paired by name and never by sorted position."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stages.contract import UserError
from stages.images import files
from stages.images.masks import doubt
from stages.images.names import ENDINGS


@dataclass(frozen=True)
class Pair:
    """One picture to complete: its key (the image file's stem), image file and mask file."""

    key: str
    image: Path
    mask: Path


def pair(images: Path, masks: Path) -> list[Pair]:
    """A file or a folder with a file or a folder: `a.jpg` goes with `a.png`; one mask file goes with every image."""
    pictures = _by_stem(images)
    if masks.is_file():
        return [Pair(key, path, masks) for key, path in pictures.items()]
    holes = _by_stem(masks)
    missing = [key for key in pictures if key not in holes]
    if missing:
        raise UserError(f"{masks}: no mask named {missing[0]}.* ({len(missing)} of {len(pictures)} images have none)")
    return [Pair(key, path, holes[key]) for key, path in pictures.items()]


def read(one: Pair, hole: str) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """A pair's image (H, W, 3) and hole (H, W), of one size; the hole is neither nothing nor everything."""
    image_HWC, hole_HW = files.read_rgb(one.image), files.read_hole(one.mask, hole)
    refuse_unfit(image_HWC, hole_HW, str(one.image), str(one.mask), f"holes are {hole} (--hole says which colour)")
    return image_HWC, hole_HW


def refuse_unfit(image_HWC: NDArray[np.uint8], hole_HW: NDArray[np.bool_], image: str, mask: str, rule: str) -> None:
    """UserError unless the hole (H, W) is of the image's size, and neither nothing nor everything."""
    if image_HWC.shape[:2] != hole_HW.shape:
        sizes = [f"{shape[1]} x {shape[0]}" for shape in (hole_HW.shape, image_HWC.shape)]
        raise UserError(f"{mask}: {sizes[0]} pixels, but {image} has {sizes[1]}; give a mask of the same size")
    if not hole_HW.any():
        raise UserError(f"{mask}: no hole in it; {rule}")
    if hole_HW.all():
        raise UserError(f"{mask}: nothing is known, all of it is hole; {rule}")


def suspicion(image_HWC: NDArray[np.uint8], hole_HW: NDArray[np.bool_]) -> str | None:
    """Why the mask may have been declared the wrong way round; None where nothing hints at it."""
    if told := doubt(hole_HW):
        return told
    known_NC = image_HWC[~hole_HW]
    if (known_NC == known_NC[0]).all():
        return "every known pixel has one and the same colour"
    return None


def _by_stem(place: Path) -> dict[str, Path]:
    if place.is_file():
        return {place.stem: place}
    if not place.is_dir():
        raise UserError(f"{place}: no such file or folder")
    files = sorted(path for path in place.iterdir() if path.suffix.lower() in ENDINGS)
    if not files:
        raise UserError(f"{place}: no image in this folder (looked for {' '.join(sorted(ENDINGS))})")
    stems: dict[str, Path] = {}
    for path in files:
        if path.stem in stems:
            raise UserError(f"{path}: {stems[path.stem].name} has the same name; rename one, files are paired by name")
        stems[path.stem] = path
    return stems
