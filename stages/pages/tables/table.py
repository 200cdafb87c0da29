"""A table of scores: one protocol's entries beside one another, estimates with 95 % intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from stages.evaluation.statistics import MIN_SOURCES
from stages.pages import labels
from stages.pages.tables import winners
from stages.pages.tables.buckets import Bucket
from stages.pages.tables.cells import ARROWS, MARK, Cell

DIVERSITY = ("diversity_all", "diversity_pixel")  # first words of metrics, the one that is liked best first
FIDELITY = ("lpips", "l1_hole", "l1", "psnr")


@dataclass(frozen=True)
class Column:
    """One metric, its label, and which way is better: "higher", "lower" or "" for neither."""

    metric: str
    label: labels.Label
    better: str

    @property
    def arrow(self) -> str:
        """Which way is better, at a glance."""
        return ARROWS.get(self.better, "")


@dataclass(frozen=True)
class Row:
    """One entry's row; `name` is the entry's."""

    name: str
    cells: tuple[Cell, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """One protocol's table; `card` is what all its rows share."""

    protocol: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    card: Mapping[str, Any]
    sources: int
    images: int
    holes: str = ""
    groups: tuple[tuple[str, int], ...] = field(default=())
    verdict: winners.Verdict = field(default_factory=lambda: winners.Verdict({}, ""))
    buckets: tuple[Bucket, ...] = ()

    @property
    def few(self) -> bool:
        """Too few independent photographs to name a winner."""
        return self.sources < MIN_SOURCES

    @property
    def trainers(self) -> str:
        """What the marked values have in common, in words; "" where none is marked."""
        networks = sorted({cell.trainer for row in self.rows for cell in row.cells} - {""})
        return f"{MARK} by a network that the row's own training loss read: {', '.join(networks)}." if networks else ""

    @property
    def diversity(self) -> str:
        """The metric that stands for diversity; "" where the table has none."""
        return self._first(DIVERSITY)

    @property
    def fidelity(self) -> str:
        """The metric that stands for fidelity to the original; "" where the table has none."""
        return self._first(FIDELITY)

    def better(self, metric: str) -> str:
        """Which way is better."""
        return next(column.better for column in self.columns if column.metric == metric)

    def _first(self, kinds: Sequence[str]) -> str:
        """The first metric of the first kind (its first words) that the table has."""
        metrics = [column.metric for column in self.columns]
        return next((m for kind in kinds for m in metrics if f"{m}_".startswith(f"{kind}_")), "")
