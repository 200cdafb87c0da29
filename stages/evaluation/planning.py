"""How many photographs a difference takes, from what pairs of entries that are scored already differ by an image."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import pandas as pd

from stages.evaluation.power import clusters_for, smallest
from stages.evaluation.protocols import Selection
from stages.evaluation.scores import per_image
from stages.evaluation.statistics import interval


@dataclass(frozen=True)
class Pair:
    """Two entries under one metric; `spread` is their difference's standard error times the root of photographs."""

    a: str
    b: str
    spread: float
    images: int
    photographs: int

    @property
    def detectable(self) -> float:
        """The smallest difference that these images show at a power of 80 %."""
        return smallest(self.spread / self.photographs**0.5, self.photographs)

    def needed(self, difference: float) -> float:
        """How many photographs, of as many images each, show `difference` so."""
        return clusters_for(difference, self.spread)


def pairs(long: pd.DataFrame, metric: str, selection: Selection) -> list[Pair]:
    """All pairs of entries of one protocol's long table, the one that is hardest to tell apart last."""
    values = {str(entry): per_image(own, metric, selection) for entry, own in long.groupby("method", observed=True)}
    return sorted(_pairs(values), key=lambda pair: pair.spread)


def _pairs(values: dict[str, pd.DataFrame]) -> Iterator[Pair]:
    """Those whose difference varies: of equal pictures nothing can be told."""
    for a, b in combinations(values, 2):
        both = values[a].join(values[b]["value"].rename("other"), how="inner")
        told = interval(both["value"] - both["other"], both["source"].tolist())
        if told.error > 0.0:
            yield Pair(a, b, told.error * told.clusters**0.5, told.n, told.clusters)
