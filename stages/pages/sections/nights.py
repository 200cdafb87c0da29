"""Nights: what a sweep scored, date by date, where its runs are kept so (the deployment `sweep/benchmark`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pandas as pd

from stages.evaluation.sweeps import nights
from stages.pages import labels
from stages.pages.drawings import charts
from stages.pages.drawings.charts import Chart
from stages.pages.found import Found
from stages.pages.section import Content, Nothing

TITLE = "Nights"
ORDER = 45
DATE_WIDTH = 90.0  # of a date along an axis, with its gap, in the drawing's units
SHOWN = 90  # nights: more dots than that are one line; MLflow has all


@dataclass(frozen=True)
class Trend:
    """One sweep: how many nights, from when to when, and the charts of each of its points."""

    name: str
    nights: int
    first: str
    last: str
    points: tuple[tuple[str, tuple[Chart, ...]], ...]


def content(found: Found) -> Content | Nothing:
    """The scores of every sweep by night."""
    if not found.nights:
        return Nothing("No night is kept yet: run the deployment sweep/benchmark, or python -m flows.sweep --nightly.")
    return {"trends": [_trend(name, frame) for name, frame in found.nights.items()]}


def _trend(name: str, frame: pd.DataFrame) -> Trend:
    days = sorted(frame["night"].unique())
    shown = nights.alike(frame[frame["night"].isin(days[-SHOWN:])])
    shown = shown[shown["metric"].isin(_leading(shown))]
    drawn = [
        (str(point), tuple(charts.draw(own, "night", _date, DATE_WIDTH)))
        for point, own in shown.groupby("point", sort=False)
    ]
    return Trend(name, len(days), _date(days[0]), _date(days[-1]), tuple(drawn))


def _leading(frame: pd.DataFrame) -> Iterator[str]:
    """The first metric of every group of columns."""
    first: dict[str, str] = {}
    for metric in sorted(filter(labels.is_column, frame["metric"].unique()), key=labels.order):
        first.setdefault(labels.label(metric).group, metric)
    return iter(first.values())


def _date(day: float) -> str:
    return f"{datetime.fromtimestamp(day * nights.DAY_S, UTC):%Y-%m-%d}"
