"""Curves of the best of k: what choosing among k samples brings, by protocol and row."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from stages.pages.scatter import FIDELITY, first_of
from stages.pages.scores import Table
from stages.pages.sweeps import Chart, charts
from stages.scoring.best_of_k import curves

FLAT = 1e-9  # what rounding makes of a curve of samples that are one picture


def table(tables: Sequence[Table], long: pd.DataFrame) -> pd.DataFrame:
    """Every row's curves under the protocols that score all samples; columns of `curves`, method and protocol."""
    found = [
        curves(own, [column.metric for column in one.columns]).assign(method=row.name, protocol=one.protocol)
        for one in tables
        if one.card["selection"] == "all"
        for row in one.rows
        for own in [long[(long["method"] == row.name) & (long["protocol"] == one.protocol)]]
    ]
    there = [frame for frame in found if len(frame)]
    return pd.concat(there, ignore_index=True) if there else pd.DataFrame({"metric": pd.Series(dtype=str)})


def draw(tables: Sequence[Table], best: pd.DataFrame) -> list[Chart]:
    """PSNR, which selects, and the first fidelity that does not, of each protocol; no line for samples that are one."""
    drawn = list[Chart]()
    for one in tables:
        shown = {"psnr", first_of(one, FIDELITY)}
        if len(best):
            own = best[(best["protocol"] == one.protocol) & best["metric"].isin(shown)]
            estimates = own.groupby(["method", "metric"])["estimate"]
            drawn += charts(own[estimates.transform("max") - estimates.transform("min") > FLAT], "k")
    return drawn
