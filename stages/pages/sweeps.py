"""Sweeps: what a figure does when a parameter is turned, drawn from the finished points in reports/sweeps.

One number that varies is a line a metric, two keys that every point sets are a grid, and every sweep is a table beside
its reference point.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from stages.contract import UserError
from stages.pages import words
from stages.pages.cells import ARROWS
from stages.pages.curves import HEIGHT, WIDTH, labels, nice
from stages.pages.seeds import SEED, Spread, spreads
from stages.sweeps import comparison, points
from stages.sweeps.points import Sweep as Swept

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
class Figure:
    """A point's estimate with its interval, and its paired difference from the reference point ("" for none)."""

    text: str
    interval: str
    difference: str
    why: str


@dataclass(frozen=True)
class Points:
    """One row under one protocol: a line a point (its name, its values of the varied keys, its figures by metric)."""

    row: str
    protocol: str
    heads: tuple[str, ...]
    lines: tuple[tuple[str, tuple[str, ...], tuple[Figure, ...]], ...]


@dataclass(frozen=True)
class Sweep:
    """One sweep: charts where one number varies, heats where two keys do, and always its tables.

    Where nothing but training seeds varies, `seeds` tells how much of the variance is theirs.
    """

    name: str
    points: int
    parameters: tuple[str, ...]
    reference: str
    charts: tuple[Chart, ...]
    heats: tuple[Heat, ...]
    tables: tuple[Points, ...]
    seeds: tuple[Spread, ...] = ()
    refused: str = ""  # why its points cannot be put beside one another; then nothing else is shown


def read(folder: Path, values: Mapping[str, Any]) -> list[Sweep]:
    """Every sweep below `folder` (reports/sweeps) with a finished point; `values` (params.yaml) say the reference."""
    return [_sweep(found, values) for found in points.read_all(folder)]


def _sweep(swept: Swept, values: Mapping[str, Any]) -> Sweep:
    names = points.short(swept.varied)
    try:
        comparison.refuse_unlike(swept)
    except UserError as error:
        return Sweep(swept.name, len(swept.points), tuple(names.values()), "", (), (), (), refused=str(error))
    frame = comparison.curve(swept)
    frame = frame[~frame["metric"].isin(words.HIDDEN)].rename(columns=names)
    against = comparison.reference(swept, values)
    varied = list(names.values())
    of_seeds = swept.varied and all(key.endswith(SEED) for key in swept.varied)
    seeds = tuple(spreads(frame)) if of_seeds else ()
    line = len(varied) == 1 and swept.numeric(swept.varied[0]) and not seeds
    drawn = tuple(charts(frame, varied[0])) if line else ()
    grid = len(varied) == 2 and all(key in point.overrides for point in swept.points for key in swept.varied)
    heats = tuple(_heats(frame, varied[0], varied[1])) if grid else ()
    lines = tuple(_tables(swept, frame, comparison.pairs(swept, against), names))
    return Sweep(swept.name, len(swept.points), tuple(varied), against.name, drawn, heats, lines, seeds)


def _tables(swept: Swept, frame: pd.DataFrame, pairs: pd.DataFrame, names: Mapping[str, str]) -> Iterator[Points]:
    differences = comparison.by(pairs, "method", "protocol", "point", "metric")
    for (row, protocol), own in frame.groupby(["method", "protocol"], sort=False):
        better = dict(zip(own["metric"], own["better"], strict=True))
        metrics, there = sorted(better, key=words.order), comparison.by(own, "point", "metric")
        heads = tuple(f"{words.word(metric).label} {ARROWS.get(better[metric], '')}".strip() for metric in metrics)
        lines = []
        for point in swept.points:
            values = tuple(points.text(point.overrides.get(key)) for key in names)
            keys = [(point.name, metric) for metric in metrics]
            figures = [_figure(there.get(key), differences.get((str(row), str(protocol), *key))) for key in keys]
            lines.append((point.name, values, tuple(figures)))
        yield Points(str(row), str(protocol), (*names.values(), *heads), tuple(lines))


def _figure(own: Mapping[str, Any] | None, pair: Mapping[str, Any] | None) -> Figure:
    if own is None:
        return Figure("–", "", "", "")
    interval = f"{words.number(own['low'])} – {words.number(own['high'])}" if math.isfinite(own["low"]) else ""
    if pair is None:
        return Figure(words.number(own["estimate"]), interval, "", "")
    sign, star = ("+" if pair["difference"] > 0 else ""), ("*" if pair["sure"] else "")
    ends = f"{words.number(pair['low'])} to {words.number(pair['high'])}"
    why = f"difference from {pair['reference']} on the same {pair['n']} images: {ends}, p (Holm) {pair['p_holm']:.2g}"
    return Figure(words.number(own["estimate"]), interval, f"{sign}{words.number(pair['difference'])}{star}", why)


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
