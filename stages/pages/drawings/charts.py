"""Charts: what every metric does over one number that varies, a line an entry."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from stages.pages import labels
from stages.pages.drawings.axes import nice, tick_labels
from stages.pages.drawings.curves import HEIGHT, WIDTH

APART = 24.0  # of labels along an axis, in the drawing's units: four digits and a gap


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


def draw(
    frame: pd.DataFrame, parameter: str, tell: Callable[[float], str] = "{:g}".format, apart: float = APART
) -> Iterator[Chart]:
    """Every metric of summaries over a numeric column, by protocol; one that does not change has no chart.

    `tell` says what a value of the column is called, `apart` how far these names stand from each other.
    """
    for (protocol, metric), own in frame.groupby(["protocol", "metric"], sort=False):
        own = own[own["estimate"].map(math.isfinite)]
        ends = own[["estimate", "low", "high"]].to_numpy(dtype=float)
        low, high = float(np.nanmin(ends, initial=math.inf)), float(np.nanmax(ends, initial=-math.inf))
        if len(own[parameter].unique()) > 1 and low < high:
            lines = _Lines(own, parameter, nice(low, high), tell)
            names = (labels.label(str(metric)).text, str(protocol), parameter)
            yield Chart(*names, lines.every(), lines.x_ticks(apart), lines.y_ticks())


class _Lines:
    """A metric's lines over one number, in the drawing's own units."""

    def __init__(self, frame: pd.DataFrame, parameter: str, ys: Sequence[float], tell: Callable[[float], str]) -> None:
        self.frame, self.parameter, self.ys, self.tell = frame, parameter, ys, tell
        self.low, self.high = float(frame[parameter].min()), float(frame[parameter].max())

    def every(self) -> tuple[Line, ...]:
        """A line an entry."""
        return tuple(self._line(str(entry), own) for entry, own in self.frame.groupby("method", sort=False))

    def _line(self, entry: str, own: pd.DataFrame) -> Line:
        own = own.sort_values(self.parameter)
        spots = [
            (self._right(x), self._down(y), f"{entry}: {labels.number(y)} at {self.tell(x)}")
            for x, y in own[[self.parameter, "estimate"]].to_numpy()
        ]
        bounded = own[own["low"].map(math.isfinite) & own["high"].map(math.isfinite)]
        ends = bounded[[self.parameter, "low", "high"]].to_numpy()
        bars = tuple((self._right(x), self._down(b), self._down(a)) for x, a, b in ends)
        return Line(entry, " ".join(f"{x},{y}" for x, y, _ in spots), bars, tuple(spots))

    def x_ticks(self, apart: float) -> tuple[tuple[float, str], ...]:
        """Values that are there, but for those that are too near to the one before."""
        ticks: list[tuple[float, str]] = []
        for value in sorted(self.frame[self.parameter].unique()):
            place = self._right(value)
            if not ticks or place - ticks[-1][0] >= apart:
                ticks.append((place, self.tell(value)))
        return tuple(ticks)

    def y_ticks(self) -> tuple[tuple[float, str], ...]:
        """Round numbers."""
        return tuple((self._down(tick), text) for tick, text in zip(self.ys, tick_labels(self.ys), strict=True))

    def _right(self, value: float) -> float:
        return round((value - self.low) / (self.high - self.low) * WIDTH, 1)

    def _down(self, value: float) -> float:
        return round((1 - (value - self.ys[0]) / (self.ys[-1] - self.ys[0])) * HEIGHT, 1)
