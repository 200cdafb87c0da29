"""Sweeps: what a figure does when a parameter is turned. A finished point is a file in reports/sweeps/<name>/.

A point's table is a summary's rows (see reports/README.md) with a column more for every parameter of the point, named
as in params.yaml (`methods.latent_codes.inpaint.temperature`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from stages import tables
from stages.pages import words
from stages.pages.curves import HEIGHT, WIDTH, labels, nice
from stages.pages.seeds import SEED, Spread, spreads

ESTIMATE = ("estimate", "low", "high", "std", "std_images", "std_samples")
SUMMARY = ("method", "protocol", "card", "metric", *ESTIMATE, "n", "sources", "k", "better")
LABELS = 12  # at most, along an axis


@dataclass(frozen=True)
class Line:
    """One row's polyline, its whiskers (x, top, bottom) and dots (x, y, title)."""

    row: str
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


@dataclass(frozen=True)
class Heat:
    """One metric of one row over two parameters: cells of text and a share of the way from worst to best."""

    metric: str
    protocol: str
    row: str
    across: str
    down: str
    heads: tuple[str, ...]
    lines: tuple[tuple[str, tuple[tuple[str, float], ...]], ...]


@dataclass(frozen=True)
class Sweep:
    """One sweep: charts where one parameter varies, heats where two do; with more, its table tells.

    Where nothing but training seeds varies, `seeds` tells how much of the variance is theirs.
    """

    name: str
    points: int
    parameters: tuple[str, ...]
    charts: tuple[Chart, ...]
    heats: tuple[Heat, ...]
    seeds: tuple[Spread, ...] = ()


def read(folder: Path) -> list[Sweep]:
    """Every sweep below `folder` (reports/sweeps) with a finished point."""
    found = []
    for place in sorted(path for path in folder.glob("*") if path.is_dir()):
        stems = sorted({path.with_suffix("") for path in place.glob("[!.]*") if path.suffix in {".parquet", ".csv"}})
        if stems:
            found.append(_sweep(place.name, [tables.read(stem) for stem in stems]))
    return found


def _sweep(name: str, points: Sequence[pd.DataFrame]) -> Sweep:
    frame = pd.concat(points, ignore_index=True)
    frame = frame[~frame["metric"].isin(words.HIDDEN)]
    varied = [column for column in frame.columns if column not in SUMMARY and len(frame[column].unique()) > 1]
    if varied and all(str(column).endswith(SEED) for column in varied):
        return Sweep(name, len(points), tuple(map(str, varied)), (), (), tuple(spreads(frame)))
    numeric = [column for column in varied if pd.api.types.is_numeric_dtype(frame[column])]
    drawn = tuple(charts(frame, varied[0])) if len(varied) == 1 and numeric else ()
    heats = tuple(_heats(frame, varied[0], varied[1])) if len(varied) == 2 else ()
    return Sweep(name, len(points), tuple(map(str, varied)), drawn, heats)


def charts(frame: pd.DataFrame, parameter: str) -> Iterator[Chart]:
    """Every metric over a numeric column, by protocol; one that does not change has no chart."""
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
    for row, own in frame.groupby("method", sort=False):
        own = own.sort_values(parameter)
        spots = [
            (right(x), down(y), f"{row}: {words.number(y)} at {x:g}")
            for x, y in own[[parameter, "estimate"]].to_numpy()
        ]
        bounded = own[own["low"].map(math.isfinite) & own["high"].map(math.isfinite)]
        bars = tuple((right(x), down(b), down(a)) for x, a, b in bounded[[parameter, "low", "high"]].to_numpy())
        lines.append(Line(str(row), " ".join(f"{x},{y}" for x, y, _ in spots), bars, tuple(spots)))
    values = sorted(frame[parameter].unique())
    x_ticks = tuple((right(x), f"{x:g}") for x in values[:: -(-len(values) // LABELS)])
    y_ticks = tuple((down(tick), text) for tick, text in zip(ys, labels(ys), strict=True))
    return Chart(words.word(metric).label, protocol, parameter, tuple(lines), x_ticks, y_ticks)


def _heats(frame: pd.DataFrame, across: str, down: str) -> Iterator[Heat]:
    for (protocol, metric, row), own in frame.groupby(["protocol", "metric", "method"], sort=False):
        grid = own.pivot_table(index=down, columns=across, values="estimate")
        if grid.empty or not own["better"].iloc[0]:
            continue
        worst, best = (grid.min().min(), grid.max().max())
        if own["better"].iloc[0] == "lower":
            worst, best = best, worst
        lines = tuple(
            (f"{name}", tuple(_heat(value, worst, best) for value in values))
            for name, values in zip(grid.index, grid.to_numpy(), strict=True)
        )
        heads = tuple(map(str, grid.columns))
        yield Heat(words.word(str(metric)).label, str(protocol), str(row), across, down, heads, lines)


def _heat(value: float, worst: float, best: float) -> tuple[str, float]:
    share = (value - worst) / (best - worst) if math.isfinite(value) and best != worst else 0.0
    return words.number(value), round(float(share), 3)
