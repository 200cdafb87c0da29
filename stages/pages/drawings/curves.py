"""Training curves as small drawings: geometry is computed here, the template draws it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from stages.pages.drawings.axes import nice, short, tick_labels
from stages.pages.labels import number

WIDTH, HEIGHT = 300.0, 120.0  # of the plotting area, in the drawing's own units
WARM, WILD = 0.05, 3.0  # values of the first share of training that would stretch the drawing so far may leave it


@dataclass(frozen=True)
class Curve:
    """One value of one part over images seen: an SVG polyline a split, ticks, and the last value."""

    name: str
    train: str
    val: str
    dots: tuple[tuple[float, float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    x_ticks: tuple[tuple[float, str], ...]
    last: str


def draw(frame: pd.DataFrame) -> list[Curve]:
    """Every value of a part's curves (step, images, split, name, value), those seen on val first."""
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
        tuple((place(0, tick)[1], label) for tick, label in zip(ticks, tick_labels(ticks), strict=True)),
        tuple((round(tick / end * WIDTH, 1), short(tick)) for tick in (0.0, end / 2, end)),
        number(float(last)),
    )


def _range(frame: pd.DataFrame, end: float) -> tuple[float, float]:
    settled, every = frame.loc[frame["images"] >= WARM * end, "value"], frame["value"]
    spans = [float(values.max() - values.min()) for values in (settled, every)]
    shown = every if spans[1] <= WILD * spans[0] or not spans[0] else settled
    return float(shown.min()), float(shown.max())


def _path(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x},{y}" for x, y in points)
