"""Charts: what every metric does over one number that varies, a line an entry."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from stages.pages import labels
from stages.pages.drawings.axes import nice, tick_labels
from stages.pages.drawings.curves import HEIGHT, WIDTH

LABELS = 12  # at most, along an axis


@dataclass(frozen=True)
class Line:
    """One entry's polyline, its whiskers (x, top, bottom) and dots (x, y, title)."""

    entry: str
    points: str
    bars: tuple[tuple[float, float, float], ...]
    dots: tuple[tuple[float, float, str], ...]


@dataclass(frozen=True)
class Chart:
    """One metric over one parameter, under one protocol."""

    metric: str
    protocol: str
    parameter: str
    lines: tuple[Line, ...]
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]


def draw(frame: pd.DataFrame, parameter: str) -> Iterator[Chart]:
    """Every metric of summaries over a numeric column, by protocol; one that does not change has no chart."""
    for (protocol, metric), own in frame.groupby(["protocol", "metric"], sort=False):
        own = own[own["estimate"].map(math.isfinite)]
        ends = own[["estimate", "low", "high"]].to_numpy(dtype=float)
        low, high = float(np.nanmin(ends, initial=math.inf)), float(np.nanmax(ends, initial=-math.inf))
        if len(own[parameter].unique()) > 1 and low < high:
            yield _chart(own, str(protocol), str(metric), parameter, nice(low, high))


def _chart(frame: pd.DataFrame, protocol: str, metric: str, parameter: str, ys: Sequence[float]) -> Chart:
    low, high = float(frame[parameter].min()), float(frame[parameter].max())

    def right(value: float) -> float:
        return round((value - low) / (high - low) * WIDTH, 1)

    def down(value: float) -> float:
        return round((1 - (value - ys[0]) / (ys[-1] - ys[0])) * HEIGHT, 1)

    lines = []
    for entry, own in frame.groupby("method", sort=False):
        own = own.sort_values(parameter)
        spots = [
            (right(x), down(y), f"{entry}: {labels.number(y)} at {x:g}")
            for x, y in own[[parameter, "estimate"]].to_numpy()
        ]
        bounded = own[own["low"].map(math.isfinite) & own["high"].map(math.isfinite)]
        bars = tuple((right(x), down(b), down(a)) for x, a, b in bounded[[parameter, "low", "high"]].to_numpy())
        lines.append(Line(str(entry), " ".join(f"{x},{y}" for x, y, _ in spots), bars, tuple(spots)))
    values = sorted(frame[parameter].unique())
    x_ticks = tuple((right(x), f"{x:g}") for x in values[:: -(-len(values) // LABELS)])
    y_ticks = tuple((down(tick), text) for tick, text in zip(ys, tick_labels(ys), strict=True))
    return Chart(labels.label(metric).text, protocol, parameter, tuple(lines), x_ticks, y_ticks)
