"""Diversity of an image's N completions: mean LPIPS over pairs, by three named estimators, or without a network.

`diversity_all_<net>`: all pairs (paper 000), exact in O(N): with LPIPS = |e_i - e_j|^2,
    sum over i<j of |e_i - e_j|^2 = N sum_i |e_i|^2 - |sum_i e_i|^2,
two running sums after subtracting the first completion's vector, so that the difference does not cancel.
`diversity_consecutive_<net>`: pairs (i, i + 1) (paper 001). `diversity_five_<net>`: five random pairs of distinct
completions, the same places for every image (paper 003). `..._hole`: in the hole's bounding box.
`diversity_pixel`: see `pixel_diversity`.
"""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor

from stages.contract import UserError
from stages.metrics.lpips import BACKBONES, Seen, tower
from stages.metrics.pixel_diversity import PixelDiversity
from stages.metrics.view import Axes, Metric, View

BETTER = "higher"
FIVE_SEED = 0  # of the five pairs: a constant, so that methods are compared on the same ones


class AllPairs:
    """Mean over all pairs; memory independent of N."""

    def start(self, first_BD: Tensor, total: int) -> None:
        """Begin the images whose first completions are given."""
        self.total, self.origin_BD = total, first_BD
        self.sum_BD = torch.zeros_like(first_BD, dtype=torch.float64)
        self.squares_B = self.sum_BD.sum(dim=1)

    def add(self, index: int, row_BD: Tensor) -> None:
        """Take in completion `index`."""
        shifted_BD = (row_BD - self.origin_BD).double()
        self.sum_BD += shifted_BD
        self.squares_B += shifted_BD.square().sum(dim=1)

    def value(self) -> Tensor:
        """(B,)."""
        pairs_B = self.total * self.squares_B - self.sum_BD.square().sum(dim=1)
        return pairs_B.clamp_min(0.0) / (self.total * (self.total - 1) / 2)


class SomePairs:
    """Mean over chosen pairs; keeps only the vectors that still have a partner to come."""

    def __init__(self, choose: Callable[[int], list[tuple[int, int]]]) -> None:
        self.choose = choose

    def start(self, first_BD: Tensor, total: int) -> None:
        """Begin the images whose first completions are given."""
        self.pairs = self.choose(total)
        self.kept: dict[int, Tensor] = {}
        self.distances: list[Tensor] = []

    def add(self, index: int, row_BD: Tensor) -> None:
        """Take in completion `index`."""
        ready = [earlier for earlier, later in self.pairs if later == index]
        self.distances += [(row_BD - self.kept[earlier]).square().sum(dim=1).double() for earlier in ready]
        self.kept[index] = row_BD
        waiting = {earlier for earlier, later in self.pairs if later > index}
        self.kept = {key: kept_BD for key, kept_BD in self.kept.items() if key in waiting}

    def value(self) -> Tensor:
        """(B,)."""
        return torch.stack(self.distances).mean(dim=0)


def consecutive(total: int) -> list[tuple[int, int]]:
    """(0, 1), (1, 2) ... (N - 2, N - 1)."""
    return [(i, i + 1) for i in range(total - 1)]


def five(total: int) -> list[tuple[int, int]]:
    """Five pairs (i < j), drawn independently with a fixed seed."""
    rng = np.random.default_rng(FIVE_SEED)
    drawn = (sorted(rng.choice(total, size=2, replace=False).tolist()) for _ in range(5))
    return [(low, high) for low, high in drawn]


class Diversity:
    """One estimator on one net's LPIPS."""

    def __init__(self, name: str, seen: Seen, estimator: AllPairs | SomePairs) -> None:
        self.name, self.seen, self.estimator = name, seen, estimator

    def __call__(self, view: View) -> Mapping[str, Tensor]:
        if view.total < 2:
            return {}
        rows_BKD = self.seen.completions(view)
        if view.first == 0:
            self.estimator.start(rows_BKD[:, 0], view.total)
        for k in range(rows_BKD.shape[1]):
            self.estimator.add(view.first + k, rows_BKD[:, k])
        return {self.name: self.estimator.value()} if view.ends else {}


ESTIMATORS: dict[str, Callable[[], AllPairs | SomePairs]] = {
    "all": AllPairs,
    "consecutive": lambda: SomePairs(consecutive),
    "five": lambda: SomePairs(five),
}


def needs(name: str) -> str | None:
    """The weights of the metric `name`; none for `diversity_pixel`."""
    return None if name == "diversity_pixel" else BACKBONES[_axes(name)[1].net]


def build(axes: Axes, name: str) -> Metric:
    """The metric `diversity_pixel` or `diversity_<all|consecutive|five>_<net>[_hole]`."""
    if name == "diversity_pixel":
        return PixelDiversity()
    estimator, seen = _axes(name)
    tower(seen.net, axes.device)  # known to be there before anything is decoded
    return Diversity(name, seen, ESTIMATORS[estimator]())


def _axes(name: str) -> tuple[str, Seen]:
    estimator = name.split("_")[1] if "_" in name else ""
    if estimator not in ESTIMATORS:
        raise UserError(f"params: metric {name}: the estimators of diversity are {', '.join(ESTIMATORS)} and pixel")
    return estimator, Seen.of(name.removeprefix(f"diversity_{estimator}_"), name)
