"""Heat maps: a metric over two keys that every point of a sweep sets, coloured from worst to best."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from stages.pages import labels


@dataclass(frozen=True)
class Heat:
    """One metric of one entry over two parameters: cells of text and a share of the way from worst to best."""

    metric: str
    protocol: str
    entry: str
    across: str
    down: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, tuple[tuple[str, float], ...]], ...]


def draw(frame: pd.DataFrame, across: str, down: str) -> Iterator[Heat]:
    """Every metric that has a better side, by protocol and entry, from summaries with the columns `across`, `down`."""
    for (protocol, metric, entry), own in frame.groupby(["protocol", "metric", "method"], sort=False):
        grid = own.pivot_table(index=down, columns=across, values="estimate")
        if grid.empty or not own["better"].iloc[0]:
            continue
        worst, best = (grid.min().min(), grid.max().max())
        if own["better"].iloc[0] == "lower":
            worst, best = best, worst
        rows = tuple(
            (f"{name}", tuple(_cell(value, worst, best) for value in values))
            for name, values in zip(grid.index, grid.to_numpy(), strict=True)
        )
        heads = tuple(map(str, grid.columns))
        yield Heat(labels.label(str(metric)).text, str(protocol), str(entry), across, down, heads, rows)


def _cell(value: float, worst: float, best: float) -> tuple[str, float]:
    share = (value - worst) / (best - worst) if math.isfinite(value) and best != worst else 0.0
    return labels.number(value), round(float(share), 3)
