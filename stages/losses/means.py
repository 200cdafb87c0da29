"""Means over chosen positions and over many batches."""

from __future__ import annotations

from collections import defaultdict

import torch
from torch import Tensor


def masked_mean(value: Tensor, chosen: Tensor) -> Tensor:
    """The mean of the chosen positions (0 and 1, or bool); 0 where none is. Dense: no shape depends on the data."""
    chosen = chosen.to(value.dtype)
    return (value * chosen).sum() / chosen.sum().clamp(min=1)


class Means:
    """Means by name over everything that was added, not a mean of batches' means."""

    def __init__(self) -> None:
        self._totals: dict[str, float] = defaultdict(float)
        self._counts: dict[str, float] = defaultdict(float)

    def add(self, name: str, value: Tensor, chosen: Tensor | None = None) -> None:
        """All values, or the chosen ones."""
        chosen = torch.ones_like(value, dtype=torch.float64) if chosen is None else chosen.double()
        self._totals[name] += float((value.double() * chosen).sum())
        self._counts[name] += float(chosen.sum())

    def result(self) -> dict[str, float]:
        """Name -> mean; 0 where nothing was ever chosen."""
        return {name: self._totals[name] / max(self._counts[name], 1.0) for name in self._totals}
