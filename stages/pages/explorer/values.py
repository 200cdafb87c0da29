"""A protocol's scores for the explorer: a value an image and entry, and one a sample where the metric has them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from stages.evaluation.scores import WHOLE_IMAGE, per_image
from stages.pages.explorer.sprites import columns
from stages.pages.tables.table import Table
from stages.pages.testsets import SampledTestSet

DIGITS = 4


def values(table: Table, testset: SampledTestSet, long: pd.DataFrame) -> dict[str, Any]:
    """Plain values, lists in the test set's order of entries and images; `long` is the table's protocol's."""
    entries = [samples.description["entry"] for samples in testset.entries]
    own = {entry: long[long["method"] == entry] for entry in entries}
    there = set(long["metric"])
    metrics = [column for column in table.columns if column.metric in there]
    return {
        "signature": str(table.card["signature"]),
        "composite": table.card["composite"],
        "metrics": [{"label": c.label.text, "unit": c.label.unit, "better": c.better} for c in metrics]
        + [{"label": "Hole", "unit": "share", "better": ""}],
        "images": [
            [_images(own[entry], metric, testset.keys, table.card["selection"]) for entry in entries]
            for metric in [*(c.metric for c in metrics), "hole_ratio"]
        ],
        "samples": [[_samples(own[entry], c.metric, testset) for entry in entries] for c in metrics]
        + [[None] * len(entries)],
    }


def _images(long: pd.DataFrame, metric: str, keys: Sequence[str], selection: Any) -> list[float | None]:
    return _plain(per_image(long, metric, selection)["value"].reindex(list(keys)).to_numpy(dtype=np.float64))


def _samples(long: pd.DataFrame, metric: str, testset: SampledTestSet) -> list[list[float | None]] | None:
    """By image and sample; None where the metric is one of whole images."""
    own = long[(long["metric"] == metric) & (long["k"] != WHOLE_IMAGE) & (long["k"] < columns(testset))]
    if own.empty:
        return None
    table_NK = own.pivot_table(index="image", columns="k", values="value").reindex(list(testset.keys))
    return [_plain(values_K) for values_K in table_NK.to_numpy(dtype=np.float64)]


def _plain(values_N: np.ndarray) -> list[float | None]:
    return [float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None for value in values_N]
