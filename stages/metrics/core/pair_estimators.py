"""Means of |e_i - e_j|^2 over pairs of an image's completions, from vectors that come one after the other."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

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


ESTIMATORS: dict[str, Callable[[], AllPairs | SomePairs]] = {
    "all": AllPairs,
    "consecutive": lambda: SomePairs(consecutive),
    "five": lambda: SomePairs(five),
}
