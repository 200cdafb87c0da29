"""One protocol's values by how much of the picture is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import pandas as pd

from stages.evaluation.protocols import Selection
from stages.evaluation.scores import per_image
from stages.evaluation.statistics import interval
from stages.evaluation.sweeps.comparison import by
from stages.pages.tables import cells

EDGES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)  # hole ratios; the papers' buckets are unions of these


@dataclass(frozen=True)
class Bucket:
    """The images whose hole ratio lies in [low, high): a row of cells an entry, in the table's order of both."""

    low: float
    high: float
    images: int
    sources: int
    rows: tuple[tuple[str, tuple[cells.Cell, ...]], ...]


def split(long: pd.DataFrame, entries: Sequence[str], metrics: Sequence[str], selection: Selection) -> list[Bucket]:
    """Buckets with images in them, of one protocol's long table; none where all images lie in one."""
    holes = per_image(long, "hole_ratio", selection)
    where = pd.cut(holes["value"], list(EDGES), right=False, labels=False).fillna(len(EDGES) - 2)
    if where.nunique() < 2:
        return []
    return [
        _bucket(long[long["image"].isin(images)], int(edge), entries, metrics, selection)
        for edge, images in ((edge, group.index) for edge, group in where.groupby(where))
    ]


def frame(long: pd.DataFrame, metrics: Sequence[str], selection: Selection) -> pd.DataFrame:
    """estimate, low, high, std, n, clusters by method (an entry) and metric, of the images in `long`."""
    found = []
    for entry, own in long.groupby("method", sort=False):
        for metric in metrics:
            values = per_image(own, metric, selection)
            if len(values):
                told = asdict(interval(values["value"], values["source"].tolist()))
                found.append({"method": entry, "metric": metric, **told})
    return pd.DataFrame(found)


def _bucket(
    long: pd.DataFrame, edge: int, entries: Sequence[str], metrics: Sequence[str], selection: Selection
) -> Bucket:
    told = by(frame(long, metrics, selection).assign(better=""), "method", "metric")
    columns = [cells.column([told.get((entry, m)) for entry in entries], [""] * len(entries)) for m in metrics]
    rows = tuple((entry, tuple(column[i] for column in columns)) for i, entry in enumerate(entries))
    return Bucket(EDGES[edge], EDGES[edge + 1], long["image"].nunique(), long["source"].nunique(), rows)
