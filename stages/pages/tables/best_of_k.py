"""The best of k: what choosing among k samples brings, by protocol and entry."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from stages.evaluation.best_of_k import curves
from stages.pages.tables.table import Table


def best_of_k(tables: Sequence[Table], long: pd.DataFrame) -> pd.DataFrame:
    """Every entry's curves under the protocols that score all samples; columns of `curves`, method and protocol."""
    found = [
        curves(own, [column.metric for column in one.columns]).assign(method=row.name, protocol=one.protocol)
        for one in tables
        if one.card["selection"] == "all"
        for row in one.rows
        for own in [long[(long["method"] == row.name) & (long["protocol"] == one.protocol)]]
    ]
    there = [frame for frame in found if len(frame)]
    return pd.concat(there, ignore_index=True) if there else pd.DataFrame({"metric": pd.Series(dtype=str)})
