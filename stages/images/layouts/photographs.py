"""The photographs that scikit-image and scikit-learn ship in their packages, cut into crops: real data, always offline.

Each photograph is cut in three regions, one a split, so that no pixel is in two. The two views of a stereo pair are
one source: they are cut along rows, in which a scene point lies at the same height in both views, and val and test
come from the left view alone. So no scene point is in two splits either.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import cv2
from pydantic import Field

from stages import contract
from stages.images.dataset_params import DatasetParams
from stages.images.encoded import MAX_PIXELS
from stages.images.files import read_rgb
from stages.images.pixels import Uint8
from stages.images.sources.item import Item
from stages.project.seeds import generator

# Photographs only: no drawings, text, phantoms, test patterns, and none that are out of focus throughout.
# Six are grey, and are kept as grey RGB: textures and a portrait that colour alone would not give.
SKIMAGE = (
    "astronaut.png", "brick.png", "camera.png", "chelsea.png", "coffee.png", "coins.png", "grass.png", "gravel.png",
    "hubble_deep_field.jpg", "ihc.png", "moon.png", "motorcycle_left.png", "motorcycle_right.png", "retina.jpg",
    "rocket.jpg",
)  # fmt: skip
SKLEARN = ("china.jpg", "flower.jpg")
PAIRS = {"motorcycle_left": ("motorcycle", True), "motorcycle_right": ("motorcycle", False)}  # name: (source, left)

DATED = False  # the files' times are the installer's
TRAIN, TEST = 0.6, 0.6  # train's share of the longer side; test's share of what is left of the other


class Crops(contract.Params):
    """How many crops a photograph gives at most, spread evenly over their scales."""

    train: Annotated[int, Field(gt=0)] = 256
    val: Annotated[int, Field(gt=0)] = 8
    test: Annotated[int, Field(gt=0)] = 30  # 16 photographs: more than the 384 that fd_alexnet needs


class Params(DatasetParams):
    """The keys of layout `photographs`."""

    crops: Crops = Crops()
    contrast: Annotated[float, Field(ge=0)] = 8.0  # grey levels of deviation: an empty sky or a black corner is no crop


@dataclass(frozen=True)
class Region:
    """A rectangle of a photograph, in pixels."""

    top: int
    left: int
    height: int
    width: int


@dataclass(frozen=True)
class Crop(Item):
    """A square of a photograph."""

    window: Region = Region(0, 0, 0, 0)

    def image(self, limit: int) -> Uint8:
        """uint8 RGB (side, side, 3)."""
        return _cut(_photograph(self.path), self.window)


def items(params: Params) -> list[Item]:
    """Crops in rounds: one of each photograph, then the next, so that the first n show all photographs evenly."""
    ranked: list[tuple[int, Item]] = []
    for path in files():
        for split, region in _splits(path).items():
            chosen = _choose(path, region, split, params)
            ranked += [(rank, _crop(path, split, window)) for rank, window in enumerate(chosen)]
    return [item for _, item in sorted(ranked, key=lambda pair: pair[0])]


def files() -> list[Path]:
    """The photographs' files; UserError where a package that brings them is not installed."""
    return [_inside("skimage", "data", name) for name in SKIMAGE] + [
        _inside("sklearn", "datasets/images", name) for name in SKLEARN
    ]


def regions(height: int, width: int, rows: bool) -> dict[str, Region]:
    """Disjoint regions of a photograph: train is the first part of its longer side (of its rows where `rows`)."""
    if not rows and width >= height:
        turned = regions(width, height, rows=True)
        return {split: Region(r.left, r.top, r.width, r.height) for split, r in turned.items()}
    train, test = round(TRAIN * height), round(TEST * width)
    return {
        "train": Region(0, 0, train, width),
        "test": Region(train, 0, height - train, test),
        "val": Region(train, test, height - train, width - test),
    }


def _splits(path: Path) -> dict[str, Region]:
    """A photograph's regions; the right view of a pair gives training crops alone."""
    _, left = PAIRS.get(path.stem, (path.stem, True))
    height, width, _ = _photograph(path).shape
    found = regions(height, width, rows=path.stem in PAIRS)
    return found if left else {"train": found["train"]}


def _choose(path: Path, region: Region, split: str, params: Params) -> Iterator[Region]:
    """Windows of a region, a scale after the other in turn, in a seeded order; flat ones are left out."""
    most: int = getattr(params.crops, split)
    most = most // 2 if path.stem in PAIRS and split == "train" else most  # two views, one source
    overlap = 8 if split == "train" else 2  # windows of a scale are 1/8 or 1/2 of their side apart
    rng = generator(params.seed, path.stem, split)
    scales = [iter(rng.permutation(_grid(region, side, overlap))) for side in _sides(region, params.size)]
    while scales and most:
        for scale in list(scales):
            window = next(
                (w for w in (Region(*row.tolist()) for row in scale) if _contrast(path, w) >= params.contrast), None
            )
            if window is None:
                scales.remove(scale)
            elif most:
                most -= 1
                yield window


def _sides(region: Region, size: int) -> list[int]:
    """Sides of windows: from the dataset's size by half octaves up to the region, so that none is enlarged."""
    sides = [round(size * 2 ** (step / 2)) for step in range(16)]
    return [side for side in sides if side <= min(region.height, region.width)]


def _grid(region: Region, side: int, overlap: int) -> list[tuple[int, int, int, int]]:
    step = max(side // overlap, 1)
    tops = range(region.top, region.top + region.height - side + 1, step)
    lefts = range(region.left, region.left + region.width - side + 1, step)
    return [(top, left, side, side) for top in tops for left in lefts]


def _crop(path: Path, split: str, window: Region) -> Crop:
    source, _ = PAIRS.get(path.stem, (path.stem, True))
    name = f"{path.stem}-{window.left}-{window.top}-{window.width}"
    return Crop(name, split, path.parent, source, path.name, window=window)


def _contrast(path: Path, window: Region) -> float:
    return float(cv2.meanStdDev(_cut(_photograph(path), window))[1].max())


def _cut(image_HWC: Uint8, window: Region) -> Uint8:
    return image_HWC[window.top : window.top + window.height, window.left : window.left + window.width]


@lru_cache(maxsize=len(SKIMAGE) + len(SKLEARN))
def _photograph(path: Path) -> Uint8:
    return read_rgb(path, MAX_PIXELS)


def _inside(package: str, folder: str, name: str) -> Path:
    spec = find_spec(package)
    path = Path(spec.origin).parent / folder / name if spec and spec.origin else Path(package) / folder / name
    if not path.is_file():
        raise contract.UserError(
            f"{path}: no such photograph; it comes with scikit-image or scikit-learn: pip install them"
        )
    return path
