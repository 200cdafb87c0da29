"""A protocol's figures for the explorer: a value an image and row, and one a sample where the metric has them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from stages.pages.draws import Drawn
from stages.pages.explorer.sprites import columns
from stages.pages.scores import Table
from stages.scoring.scores import WHOLE_IMAGE, per_image

DIGITS = 4


def figures(table: Table, drawn: Drawn, long: pd.DataFrame) -> dict[str, Any]:
    """Plain values, lists in the draw's order of rows and images; `long` is the table's protocol's."""
    rows = [row.draw["row"] for row in drawn.rows]
    own = {row: long[long["method"] == row] for row in rows}
    there = set(long["metric"])
    metrics = [column for column in table.columns if column.metric in there]
    return {
        "signature": str(table.card["signature"]),
        "composite": table.card["composite"],
        "metrics": [{"label": c.word.label, "unit": c.word.unit, "better": c.better} for c in metrics]
        + [{"label": "Hole", "unit": "share", "better": ""}],
        "images": [
            [_images(own[row], metric, drawn.keys, table.card["selection"]) for row in rows]
            for metric in [*(c.metric for c in metrics), "hole_ratio"]
        ],
        "samples": [[_samples(own[row], c.metric, drawn) for row in rows] for c in metrics] + [[None] * len(rows)],
    }


def _images(long: pd.DataFrame, metric: str, keys: Sequence[str], selection: Any) -> list[float | None]:
    return _plain(per_image(long, metric, selection)["value"].reindex(list(keys)).to_numpy(dtype=np.float64))


def _samples(long: pd.DataFrame, metric: str, drawn: Drawn) -> list[list[float | None]] | None:
    """By image and sample; None where the metric is one of whole images."""
    own = long[(long["metric"] == metric) & (long["k"] != WHOLE_IMAGE) & (long["k"] < columns(drawn))]
    if own.empty:
        return None
    table_NK = own.pivot_table(index="image", columns="k", values="value").reindex(list(drawn.keys))
    return [_plain(values_K) for values_K in table_NK.to_numpy(dtype=np.float64)]


def _plain(values_N: np.ndarray) -> list[float | None]:
    return [float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None for value in values_N]
