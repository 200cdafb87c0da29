"""In which order an epoch meets images: each once, tars in groups, so that few tars are read at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Epoch:
    """Positions of all images once, and the order in which their tars are met: a group of so many after the other."""

    images_N: NDArray[np.int64]
    tars_T: NDArray[np.int64]
    group: int

    @classmethod
    def drawn(cls, rng: np.random.Generator, tar_N: NDArray[np.int64], group: int) -> Epoch:
        """Tars in a random order, and the images of each group of them shuffled; `tar_N` numbers each image's tar.

        Where one group holds all tars the images' order is the plain permutation.
        """
        shuffled_N, tars_T = rng.permutation(len(tar_N)), rng.permutation(int(tar_N.max()) + 1)
        group_T = np.empty_like(tars_T)
        group_T[tars_T] = np.arange(len(tars_T)) // group
        return cls(shuffled_N[np.argsort(group_T[tar_N[shuffled_N]], kind="stable")], tars_T, group)

    def after(self, tar: int) -> NDArray[np.int64]:
        """The tars of the group behind that tar's; none behind the last."""
        start = (int(np.flatnonzero(self.tars_T == tar)[0]) // self.group + 1) * self.group
        return self.tars_T[start : start + self.group]
