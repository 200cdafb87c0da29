"""What val batches give to the figures of a whole set: sums, counts, largest values, rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf, isnan

import torch
from torch import Tensor


@dataclass
class Tally:
    """What was measured of some batches, by name; tallies that are added up in the batches' order are that of all.

    Everything lies on the CPU, so that another process may send it.
    """

    counts: dict[str, Tensor] = field(default_factory=dict)
    maxima: dict[str, float] = field(default_factory=dict)
    _sums: dict[str, tuple[float, float]] = field(default_factory=dict)  # of values and of weights
    _rows: dict[str, list[Tensor]] = field(default_factory=dict)

    def mean(self, name: str, value: Tensor, chosen: Tensor | None = None) -> None:
        """All values go into the mean of that name, or the chosen ones (0 and 1, or bool)."""
        chosen = torch.ones_like(value, dtype=torch.float64) if chosen is None else chosen.double()
        self._add_sums(name, float((value.double() * chosen).sum()), float(chosen.sum()))

    def count(self, name: str, counts: Tensor) -> None:
        """Whole numbers, shaped alike in every batch: they are summed in `counts`."""
        self.counts[name] = self.counts.get(name, 0) + counts.cpu()

    def largest(self, name: str, value: float) -> None:
        """The largest is in `maxima`; nan where one is."""
        before = self.maxima.get(name, -inf)
        self.maxima[name] = before if isnan(before) or before > value else value

    def keep(self, name: str, rows_ND: Tensor) -> None:
        """Rows that are looked at all together, so let them be small."""
        self._rows.setdefault(name, []).append(rows_ND.cpu())

    def add(self, later: Tally) -> None:
        """What was measured of batches that come after these."""
        for name, sums in later._sums.items():
            self._add_sums(name, *sums)
        for name, counts in later.counts.items():
            self.count(name, counts)
        for name, value in later.maxima.items():
            self.largest(name, value)
        for name, rows in later._rows.items():
            self._rows.setdefault(name, []).extend(rows)

    def means(self) -> dict[str, float]:
        """Name -> mean over all that was added, not a mean of batches' means; 0 where nothing was ever chosen."""
        return {name: total / max(weight, 1.0) for name, (total, weight) in self._sums.items()}

    def rows(self, name: str) -> Tensor:
        """All rows of that name, (N, D); (0, 0) where none was kept."""
        return torch.cat(self._rows.get(name, [torch.empty(0, 0)]))

    def _add_sums(self, name: str, total: float, weight: float) -> None:
        before = self._sums.get(name, (0.0, 0.0))
        self._sums[name] = (before[0] + total, before[1] + weight)
