"""Scores over the holes' ratio: what single points of a sweep score under protocols whose holes are ever larger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from stages.evaluation.evaluator import HOLE_RATIO
from stages.evaluation.sweeps.points import Point
from stages.pages import labels
from stages.pages.drawings import charts
from stages.pages.drawings.charts import Chart

PARAMETER = "hole ratio"  # the mean of a protocol's holes, rounded


def draw(points: Mapping[str, Point], protocols: Sequence[str], together: str) -> Iterator[Chart]:
    """Every metric of the protocols, which are called `together`; a line a point, by name, of its first entry."""
    rows = [_rows(point, protocols).assign(method=name, protocol=together) for name, point in points.items()]
    yield from charts.draw(pd.concat(rows, ignore_index=True), PARAMETER)


def _rows(point: Point, protocols: Sequence[str]) -> pd.DataFrame:
    own = point.summary[point.summary["method"] == point.summary["method"].iloc[0]]
    own = own[own["protocol"].isin(protocols)]
    ratios = own[own["metric"] == HOLE_RATIO].set_index("protocol")["estimate"].round(2)
    shown = own[own["metric"].map(labels.is_column).astype(bool)]
    return shown.assign(**{PARAMETER: shown["protocol"].map(ratios)})
