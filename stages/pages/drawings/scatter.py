"""Diversity against fidelity, the question of the field in one drawing: error bars, and who is not dominated."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from stages.pages import labels
from stages.pages.drawings.axes import nice, tick_labels
from stages.pages.tables.table import Table

WIDTH, HEIGHT = 460.0, 300.0  # of the plotting area, in the drawing's own units
APART, LETTER = 15.0, 6.6  # between labels that lie close; how wide a letter is
LEFTWARDS = 0.6  # from this share of the width on, a label stands to the left of its dot


@dataclass(frozen=True)
class Dot:
    """One entry: its place, the ends of its error bars (left, right, bottom, top), and its label's height."""

    entry: str
    x: float
    y: float
    bars: tuple[float, float, float, float]
    label_y: float
    leftwards: bool
    front: bool
    hue: int
    title: str


@dataclass(frozen=True)
class Scatter:
    """One protocol's drawing. Better is up and to the right, whatever the metrics' own directions."""

    protocol: str
    across: str
    up: str
    dots: tuple[Dot, ...]
    front: str
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]


@dataclass(frozen=True)
class _Point:
    entry: str
    x: tuple[float, float, float]  # estimate, low, high
    y: tuple[float, float, float]


def draw(summary: pd.DataFrame, table: Table) -> Scatter | None:
    """A protocol's scatter; None where it has no diversity, no fidelity, or a single entry."""
    across, up = table.diversity, table.fidelity
    own = summary[summary["protocol"] == table.protocol]
    points = [p for row in table.rows if (p := _point(own[own["method"] == row.name], across, up)) is not None]
    if len(points) < 2 or len({p.x[0] for p in points}) < 2 or len({p.y[0] for p in points}) < 2:
        return None
    xs, ys = (nice(*_range([getattr(p, axis) for p in points])) for axis in "xy")
    return _scatter(table, points, xs, ys)


def _scatter(table: Table, points: Sequence[_Point], xs: Sequence[float], ys: Sequence[float]) -> Scatter:
    across, up = table.diversity, table.fidelity
    rising = table.better(up) == "higher"

    def right(value: float) -> float:
        return round((value - xs[0]) / (xs[-1] - xs[0]) * WIDTH, 1)

    def down(value: float) -> float:
        share = (value - ys[0]) / (ys[-1] - ys[0])
        return round((1 - share if rising else share) * HEIGHT, 1)

    front = pareto([(p.x[0], p.y[0] if rising else -p.y[0]) for p in points])
    heights = spread([(right(p.x[0]), down(p.y[0]), p.entry) for p in points])
    dots = [
        Dot(
            p.entry,
            right(p.x[0]),
            down(p.y[0]),
            (right(p.x[1]), right(p.x[2]), down(p.y[1]), down(p.y[2])),
            heights[i],
            right(p.x[0]) > LEFTWARDS * WIDTH,
            i in front,
            i % 5,
            _title(p, across, up),
        )
        for i, p in enumerate(points)
    ]
    line = " ".join(f"{dot.x},{dot.y}" for dot in sorted((d for d in dots if d.front), key=lambda d: (d.x, d.y)))
    x_ticks = tuple((right(tick), label) for tick, label in zip(xs, tick_labels(xs), strict=True))
    y_ticks = tuple((down(tick), label) for tick, label in zip(ys, tick_labels(ys), strict=True))
    axes = labels.label(across).text, labels.label(up).text
    return Scatter(table.protocol, *axes, tuple(dots), line, x_ticks, y_ticks)


def _title(point: _Point, across: str, up: str) -> str:
    values = ((across, point.x), (up, point.y))
    return f"{point.entry}: " + ", ".join(f"{labels.label(m).text} {labels.number(v[0])}" for m, v in values)


def pareto(points: Sequence[tuple[float, float]]) -> set[int]:
    """Which of the points no other one beats in both (higher is better in both; equal points stay together)."""
    return {i for i, (x, y) in enumerate(points) if not any(a >= x and b >= y and (a > x or b > y) for a, b in points)}


def _point(own: pd.DataFrame, across: str, up: str) -> _Point | None:
    found = []
    for metric in (across, up):
        rows = own[own["metric"] == metric]
        if rows.empty or not math.isfinite(rows["estimate"].iloc[0]):
            return None
        value, low, high = (float(rows[name].iloc[0]) for name in ("estimate", "low", "high"))
        found.append((value, low, high) if math.isfinite(low) and math.isfinite(high) else (value, value, value))
    return _Point(str(own["method"].iloc[0]), found[0], found[1])


def _range(values: Sequence[tuple[float, float, float]]) -> tuple[float, float]:
    ends = [end for value in values for end in value]
    return min(ends), max(ends)


def spread(spots: Sequence[tuple[float, float, str]]) -> list[float]:
    """Heights of the labels of dots (x, y, label), each moved down until it lies on no other one."""
    placed: dict[int, tuple[float, float, float]] = {}  # left and right end, height
    for i in sorted(range(len(spots)), key=lambda i: spots[i][1]):
        x, height, label = spots[i]
        wide = len(label) * LETTER + 20
        left = x - wide if x > LEFTWARDS * WIDTH else x
        for other_left, other_right, other in sorted(placed.values(), key=lambda place: place[2]):
            if left < other_right and other_left < left + wide and abs(other - height) < APART:
                height = other + APART
        placed[i] = (left, left + wide, height)
    return [placed[i][2] for i in range(len(spots))]
