"""One protocol's figures by how much of the picture is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from stages.pages import cells
from stages.scoring.protocols import Selection
from stages.scoring.scores import per_image
from stages.scoring.statistics import interval

EDGES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)  # hole ratios; the papers' buckets are unions of these


@dataclass(frozen=True)
class Bucket:
    """The images whose hole ratio lies in [low, high): cells by row, in the table's order of rows and columns."""

    low: float
    high: float
    images: int
    sources: int
    rows: tuple[tuple[str, tuple[cells.Cell, ...]], ...]


def split(long: pd.DataFrame, rows: Sequence[str], metrics: Sequence[str], selection: Selection) -> list[Bucket]:
    """Buckets with images in them, of one protocol's long table; none where all images lie in one."""
    holes = per_image(long, "hole_ratio", selection)
    where = pd.cut(holes["value"], list(EDGES), right=False, labels=False).fillna(len(EDGES) - 2)
    if where.nunique() < 2:
        return []
    return [
        _bucket(long[long["image"].isin(images)], int(edge), rows, metrics, selection)
        for edge, images in ((edge, group.index) for edge, group in where.groupby(where))
    ]


def frame(long: pd.DataFrame, metrics: Sequence[str], selection: Selection) -> pd.DataFrame:
    """estimate, low, high, std, n, clusters by method and metric, of the images in `long`."""
    found = []
    for row, own in long.groupby("method", sort=False):
        for metric in metrics:
            values = per_image(own, metric, selection)
            if len(values):
                told = asdict(interval(values["value"], values["source"].tolist()))
                found.append({"method": row, "metric": metric, **told})
    return pd.DataFrame(found)


def _bucket(long: pd.DataFrame, edge: int, rows: Sequence[str], metrics: Sequence[str], selection: Selection) -> Bucket:
    told = frame(long, metrics, selection).assign(better="")
    entries: dict[tuple[str, str], Mapping[str, Any]] = {
        (str(entry["method"]), str(entry["metric"])): {str(name): value for name, value in entry.items()}
        for entry in told.to_dict("records")
    }
    columns = [cells.column([entries.get((row, m)) for row in rows], [""] * len(rows)) for m in metrics]
    lines = tuple((row, tuple(column[i] for column in columns)) for i, row in enumerate(rows))
    return Bucket(EDGES[edge], EDGES[edge + 1], long["image"].nunique(), long["source"].nunique(), lines)
