"""Draws as the page needs them: the originals, the holes, and every row's completions of the same images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages import places
from stages.contract import UserError
from stages.images.dataset import Dataset
from stages.images.masks import MaskSet
from stages.samples.draws import Holes, Images
from stages.samples.store import Finished, Samples
from stages.sweeps.pictures import Kept

SAME = ("dataset", "split", "masks", "mask_hash", "images", "samples", "size", "seed")  # of a card and of a draw

IDENTITY = ("draw", "dataset_hash", *SAME)  # of a draw, whoever drew it


@dataclass(frozen=True)
class Drawn:
    """One draw: `rows` (what is trained first) over the images `keys` that all of them completed."""

    name: str
    rows: tuple[Samples, ...]
    keys: tuple[str, ...]
    positions: Mapping[str, int]
    dataset: Images
    holes: Holes
    turned: tuple[Kept, ...] = ()  # what the points of sweeps drew of it

    def image(self, key: str) -> NDArray[np.uint8]:
        """The original, uint8 (H, W, 3)."""
        return self.dataset.image(self.positions[key])

    def hole(self, key: str) -> NDArray[np.bool_]:
        """hole_HW."""
        return self.holes.hole(key)

    @property
    def hole_ratio(self) -> float:
        """The mean hole's share of the picture."""
        return sum(self.rows[0].holes) / len(self.rows[0].holes)

    def under(self, card: Mapping[str, Any]) -> bool:
        """Whether a protocol's card tells of this draw."""
        draw = self.rows[0].draw
        return draw["dataset_hash"] == card["split_hash"] and all(draw[name] == card[name] for name in SAME)


def read(samples: Path, turned: Sequence[Kept] = ()) -> tuple[list[Drawn], dict[str, str]]:
    """Every draw that some method finished, and why by name of those that cannot be had.

    `samples` holds <method>/<draw>/<row>/; `turned` are the pictures that sweeps kept.
    """
    finished: dict[str, list[Finished]] = {}
    for description in sorted(samples.glob("*/*/*/draw.json")):
        one = Finished.open(description.parent)
        finished.setdefault(one.draw["draw"], []).append(one)
    drawn, missing = list[Drawn](), dict[str, str]()
    for name, rows in finished.items():
        try:
            drawn.append(_drawn(name, sorted(rows, key=_order), turned))
        except UserError as error:
            missing[name] = str(error)
    return drawn, missing


def completed(drawn: Samples, key: str, image_HWC: NDArray[np.uint8], hole_HW: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """A row's completions of an image with the known pixels put back, uint8 (K, H, W, 3)."""
    return np.where(hole_HW[None, :, :, None], drawn.raw_KHWC(key), image_HWC[None])


def alike(pictures_KHWC: NDArray[np.uint8]) -> bool:
    """Whether several pictures are one and the same."""
    return len(pictures_KHWC) > 1 and bool((pictures_KHWC == pictures_KHWC[:1]).all())


def _drawn(name: str, rows: Sequence[Finished], turned: Sequence[Kept]) -> Drawn:
    first = rows[0].draw
    dataset = Dataset.open(places.shards(first["dataset"]), first["split"])
    holes = MaskSet.open(places.masks(first["dataset"]), first["masks"])
    common = set.intersection(*(set(row.keys) for row in rows))
    keys = tuple(key for key in rows[0].keys if key in common)
    own = tuple(one for one in turned if all(one.pictures.draw[field] == first[field] for field in IDENTITY))
    return Drawn(name, tuple(rows), keys, {key: i for i, key in enumerate(dataset.keys)}, dataset, holes, own)


def _order(drawn: Finished) -> tuple[bool, str]:
    return not drawn.draw["trained_on"], drawn.draw["row"]
