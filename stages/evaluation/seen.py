"""What a pass over a test set has seen: arrays of a row an image, filled piece by piece."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Name = TypeVar("Name", bound=Hashable)
Value = tuple[str, str]  # a metric of the pass, and the name of a value that it gives


@dataclass(frozen=True)
class Told:
    """What the metrics told of some images, in order: scores, (B, K) a completion or (B,) an image; rows, (B, ...)."""

    scores: dict[Value, NDArray[np.float64]]
    rows: dict[str, NDArray[Any]]


class Seen:
    """The same of all images.

    Memory is taken once, for all of them: arrays that stay, put between the large ones of every batch, would leave
    holes in the heap, and the process would grow by pictures and not by numbers.
    """

    def __init__(self, images: int) -> None:
        self.images = images
        self.scores: dict[Value, NDArray[np.float64]] = {}
        self.rows: dict[str, NDArray[Any]] = {}

    def put(self, start: int, told: Told) -> None:
        """Take in what was told of the images from position `start` on."""
        self._put(self.scores, start, told.scores)
        self._put(self.rows, start, told.rows)

    def _put(self, arrays: dict[Name, NDArray[Any]], start: int, told: Mapping[Name, NDArray[Any]]) -> None:
        for name, some_B in told.items():
            if name not in arrays:
                whole = (self.images, *some_B.shape[1:])
                arrays[name] = np.full(whole, np.nan, some_B.dtype)  # what nobody tells is to be seen
            arrays[name][start : start + len(some_B)] = some_B
