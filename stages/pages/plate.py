"""What a plate is, and one that is still waited for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.pages.draws import completed
from stages.pages.embed import Picture
from stages.samples.store import Samples


@dataclass(frozen=True)
class Plate:
    """A table of pictures: headings of columns, and lines of a name and its pictures (None: no such row)."""

    title: str
    about: str
    heads: tuple[str, ...]
    lines: tuple[tuple[str, tuple[Picture | None, ...]], ...]


@dataclass(frozen=True)
class Missing:
    """A plate that no draw fills: its name in the paper, what it shows, and what has to be run for it."""

    name: str
    shows: str
    needs: str


def first(
    row: Samples, key: str, image_HWC: NDArray[np.uint8], hole_HW: NDArray[np.bool_], composite: bool
) -> NDArray[np.uint8]:
    """A row's first completion of an image, raw or with the known pixels put back."""
    return completed(row, key, image_HWC, hole_HW)[0] if composite else row.raw_KHWC(key)[0]
