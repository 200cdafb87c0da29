"""Training curves as small drawings: geometry is computed here, the template draws it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from stages.pages.words import number

WIDTH, HEIGHT = 300.0, 120.0  # of the plotting area, in the drawing's own units
WARM, WILD = 0.05, 3.0  # values of the first share of training that would stretch the drawing so far may leave it


@dataclass(frozen=True)
class Curve:
    """One figure of one part over images seen: an SVG polyline a split, ticks, and the last value."""

    name: str
    train: str
    val: str
    dots: tuple[tuple[float, float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    x_ticks: tuple[tuple[float, str], ...]
    last: str


def draw(frame: pd.DataFrame) -> list[Curve]:
    """Every figure of a part's curves (step, images, split, name, value), those seen on val first."""
    names = frame.groupby("name", sort=False)["split"].agg(lambda splits: "val" not in set(splits))
    ordered = sorted(names.items(), key=lambda item: bool(item[1]))
    return [curve for name, _ in ordered if (curve := _curve(str(name), frame[frame["name"] == name])) is not None]


def _curve(name: str, frame: pd.DataFrame) -> Curve | None:
    frame = frame[frame["value"].map(math.isfinite)]
    if frame["value"].nunique() < 2:
        return None
    end = float(frame["images"].max())
    ticks = nice(*_range(frame, end))
    low, high = ticks[0], ticks[-1]

    def place(images: float, value: float) -> tuple[float, float]:
        share = (value - low) / (high - low)
        return round(images / end * WIDTH, 1), round((1 - min(max(share, -0.5), 1.5)) * HEIGHT, 1)

    points = {split: rows.sort_values("images") for split, rows in frame.groupby("split")}
    lines = {
        split: [place(x, y) for x, y in zip(rows["images"], rows["value"], strict=True)]
        for split, rows in points.items()
    }
    val = points.get("val", frame.iloc[:0])
    titles = [f"{number(y)} after {short(x)} images" for x, y in zip(val["images"], val["value"], strict=True)]
    last = points["val" if "val" in points else "train"]["value"].iloc[-1]
    return Curve(
        name,
        _path(lines.get("train", [])),
        _path(lines.get("val", [])),
        tuple((x, y, title) for (x, y), title in zip(lines.get("val", []), titles, strict=True)),
        tuple((place(0, tick)[1], label) for tick, label in zip(ticks, labels(ticks), strict=True)),
        tuple((round(tick / end * WIDTH, 1), short(tick)) for tick in (0.0, end / 2, end)),
        number(float(last)),
    )


def _range(frame: pd.DataFrame, end: float) -> tuple[float, float]:
    settled, every = frame.loc[frame["images"] >= WARM * end, "value"], frame["value"]
    spans = [float(values.max() - values.min()) for values in (settled, every)]
    shown = every if spans[1] <= WILD * spans[0] or not spans[0] else settled
    return float(shown.min()), float(shown.max())


def labels(ticks: Sequence[float]) -> list[str]:
    """Evenly spaced ticks as text, with as many decimals as their step needs."""
    places = next(
        p
        for p in range(16)
        if abs(round(ticks[1] - ticks[0], p) - (ticks[1] - ticks[0])) < 1e-3 * (ticks[1] - ticks[0])
    )
    return [f"{tick:,.{places}f}" for tick in ticks]


def nice(low: float, high: float) -> list[float]:
    """Three to six round numbers, evenly spaced, that enclose the range (low < high)."""
    power = 10 ** math.floor(math.log10((high - low) / 2))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if (high - low) / (power * factor) <= 4)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [i * step for i in range(first, last + 1)]


def short(count: float) -> str:
    """A count in a few characters: 950, 12k, 3.4M."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if count >= size:
            return f"{count / size:.3g}{letter}"
    return f"{count:.0f}"


def _path(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x},{y}" for x, y in points)
