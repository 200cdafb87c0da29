"""Images, their masks and the maps that guide their completion, paired by name and never by sorted position."""

import filecmp
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from stages.contract import UserError
from stages.images import files, originals
from stages.images.listing import ENDINGS, image_files
from stages.images.mask_levels import Mask
from stages.images.masks import doubt
from stages.images.names import beside, distinct, stem_of
from stages.images.originals import Original

Decoded = TypeVar("Decoded")


@dataclass(frozen=True)
class Pair:
    """One picture to complete: its key (the image file's name without ending), its files; None: no such map given."""

    key: str
    image: Path
    mask: Path
    edges: Path | None = None
    labels: Path | None = None

    @property
    def files(self) -> dict[str, Path]:
        """What it is completed from, by name."""
        named = {"image": self.image, "mask": self.mask, "edges": self.edges, "labels": self.labels}
        return {name: path for name, path in named.items() if path is not None}


def pair(images: Path, masks: Path) -> list[Pair]:
    """A file or a folder with a file or a folder: `a.jpg` goes with `a.png`; one mask file goes with every image.

    In one folder of both, as LaMa's, `x.png` goes with `x_mask.png` or `x_mask001.png`.
    """
    pictures = _by_name(images)
    if masks.is_file():
        return [Pair(key, path, masks) for key, path in pictures.items()]
    holes = _by_name(masks)
    if masks.samefile(images if images.is_dir() else images.parent):
        return _in_one_folder(pictures, holes, masks)
    _refuse_missing(pictures, set(holes), masks, "mask", "")
    return [Pair(key, path, holes[key]) for key, path in pictures.items()]


def guided(paired: list[Pair], edges: Path | None, labels: Path | None) -> list[Pair]:
    """The pairs with their maps, a file or a folder each: `a.jpg` goes with `a.png`; one file goes with every image."""
    maps = zip(_maps(paired, edges, "edges"), _maps(paired, labels, "labels"), strict=True)
    return [replace(one, edges=edge, labels=label) for one, (edge, label) in zip(paired, maps, strict=True)]


def _maps(paired: list[Pair], place: Path | None, what: str) -> Sequence[Path | None]:
    """Each pair's map; UserError where an image has none."""
    if place is None:
        return [None for _ in paired]
    found = _by_name(place)
    if place.is_file():
        return [place for _ in paired]
    images = {stem_of(Path(one.image.name)): one.image for one in paired}
    _refuse_missing(images, set(found), place, what, "")
    return [found[stem_of(Path(one.image.name))] for one in paired]


def opened(one: Pair, hole: str, read: Callable[[Path], Mask] | None = None) -> tuple[Original, Mask]:
    """A pair's image and mask, of one size; UserError where the mask is unfit, or is the image itself.

    `read` reads a mask where it has another way than from its file each time.
    """
    original, mask = originals.read(one.image), read(one.mask) if read else files.read_mask(one.mask, hole)
    if filecmp.cmp(one.image, one.mask, shallow=False):
        raise UserError(f"{one.mask}: the mask is the image itself; name its mask, {hole} in the hole")
    refuse_unfit(original, mask, str(one.image), str(one.mask), f"holes are {hole} (--hole says which colour)")
    return original, mask


def decoded(decode: Callable[[bytes], Decoded], data: bytes, what: str, mend: str) -> Decoded:
    """What was sent, decoded; UserError where it cannot be."""
    try:
        return decode(data)
    except ValueError as error:
        raise UserError(f"{what}: {error}; {mend}") from error


def refuse_unfit(original: Original, mask: Mask, image: str, name: str, rule: str) -> None:
    """UserError unless the mask `name` is of the image's size, and its hole is neither nothing nor everything."""
    if original.own_HWC.shape[:2] != mask.hole_HW.shape:
        sizes = [f"{shape[1]} x {shape[0]}" for shape in (mask.hole_HW.shape, original.own_HWC.shape)]
        raise UserError(f"{name}: {sizes[0]} pixels, but {image} has {sizes[1]}; give a mask of the same size")
    seen = f"; {mask.remark}" if mask.remark else ""
    if not mask.hole_HW.any():
        raise UserError(f"{name}: no hole in it; {rule}{seen}")
    if mask.hole_HW.all():
        raise UserError(f"{name}: nothing is known, all of it is hole; {rule}{seen}")


def remarks(original: Original, mask: Mask, image: str, name: str) -> list[str]:
    """What the person should know of a pair's files, a line each: what results lose, how the mask `name` was read."""
    return [f"{image}: {loss}" for loss in original.lost] + ([f"{name}: {mask.remark}"] if mask.remark else [])


def suspicion(image_HWC: NDArray[np.uint8], hole_HW: NDArray[np.bool_]) -> str | None:
    """Why the mask may have been declared the wrong way round; None where nothing hints at it."""
    if told := doubt(hole_HW):
        return told
    known_NC = image_HWC[~hole_HW]
    if (known_NC == known_NC[0]).all():
        return "every known pixel has one and the same colour"
    return None


def pictures(folder: Path) -> list[Path]:
    """A folder's own image files, sorted."""
    return [folder / name for name in image_files(folder, deep=False)]


def _by_name(place: Path) -> dict[str, Path]:
    if not place.exists():
        raise UserError(f"{place}: no such file or folder")
    found = pictures(place) if place.is_dir() else [place]
    if not found:
        raise UserError(f"{place}: no image in this folder (looked for {' '.join(sorted(ENDINGS))})")
    named = ((stem_of(Path(path.name)), path) for path in found)
    return distinct(named, "has the same name; rename one, files are paired by name")


def _in_one_folder(pictures: dict[str, Path], holes: dict[str, Path], folder: Path) -> list[Pair]:
    """Masks beside their images; of several masks of one image each is a picture to complete, named as the mask."""
    image_of = beside(holes)
    if not image_of:
        line = "images and masks are one folder, and no x_mask.png or x_mask001.png lies beside an x.png in it"
        raise UserError(f"{folder}: {line}; name the folder of the masks")
    images = {key: path for key, path in pictures.items() if key not in image_of}
    counts = Counter(image_of.values())
    _refuse_missing(images, set(counts), folder, "mask", "_mask")
    return [
        Pair(image if counts[image] == 1 else mask, images[image], holes[mask])
        for mask, image in sorted(image_of.items(), key=lambda names: (names[1], names[0]))
        if image in images
    ]


def _refuse_missing(images: dict[str, Path], there: set[str], place: Path, what: str, ending: str) -> None:
    missing = [key for key in images if key not in there]
    if missing:
        count = f"{len(missing)} of {len(images)} images have none"
        raise UserError(f"{place}: no {what} named {missing[0]}{ending}.* ({count})")
