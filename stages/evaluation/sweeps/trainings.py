"""Points of a sweep that differ in nothing but their trainings' seeds: together, one row a score.

A row has protocol, method, metric, better, `values` (the other keys' as text), trainings, estimate, low, high, n,
sources and the standard deviations of `stages.evaluation.variance`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from stages.evaluation.power import LEVEL, student_t
from stages.evaluation.protocols import signed
from stages.evaluation.scores import WHOLE_IMAGE, best
from stages.evaluation.sweeps import seeds
from stages.evaluation.sweeps.points import Point, Sweep
from stages.evaluation.variance import spread

SCORE = ["protocol", "method", "metric"]


def rows(sweep: Sweep) -> pd.DataFrame:
    """A row a score of each group of at least two points; empty where there is no such group."""
    groups = seeds.groups(sweep) if seeds.vary(sweep) else {}
    told = [{"values": values, **row} for values, own in groups.items() if len(own) > 1 for row in _group(own)]
    return pd.DataFrame(told)


def _group(points: Sequence[Point]) -> Iterator[dict[str, Any]]:
    summary = pd.concat([point.summary for point in points], ignore_index=True)
    long = pd.concat([point.long.assign(training=i) for i, point in enumerate(points)], ignore_index=True)
    values = {key: own for key, own in long.groupby(SCORE, sort=False, observed=True)}
    for key, own in summary.groupby(SCORE, sort=False, observed=True):
        if len(own) == len(points):  # an entry that some training did not score is of no group
            about = dict(zip(SCORE, key, strict=True)) | {"better": own["better"].iloc[0], "trainings": len(own)}
            yield about | (_with_images(values[key], long) if key in values else _alone(own))


def _with_images(own: pd.DataFrame, long: pd.DataFrame) -> dict[str, float]:
    """All three told apart, on the images that every training has a value of."""
    table = _selected(own, long).pivot_table(
        index=["image", "source"], columns=["training", "k"], values="value", observed=True
    )
    table = table.dropna()
    trainings, sources = own["training"].nunique(), table.index.get_level_values("source").astype(str).tolist()
    counts: dict[str, float] = {"n": len(table), "sources": len(set(sources))}
    if len(table) < 2:
        return counts
    values_TIK = table.to_numpy().reshape(len(table), trainings, -1).swapaxes(0, 1)
    return counts | asdict(spread(values_TIK, sources))


def _selected(own: pd.DataFrame, long: pd.DataFrame) -> pd.DataFrame:
    """The samples that the protocol's selection lets in; of one sample an image the k is no matter."""
    selection = signed(str(own["card"].iloc[0]))["selection"]
    if selection == "all" or (own["k"] == WHOLE_IMAGE).all():
        return own
    if selection == "first":
        return own[own["k"] == 0]
    entry = long[(long["protocol"] == own["protocol"].iloc[0]) & (long["method"] == own["method"].iloc[0])]
    chosen = pd.concat([best(one).rename("k").reset_index().assign(training=i) for i, one in entry.groupby("training")])
    return own.merge(chosen, on=["training", "image", "k"]).assign(k=0)


def _alone(own: pd.DataFrame) -> dict[str, float]:
    """A number of the whole set: what varies by the training, on these very images."""
    estimate, std = float(own["estimate"].mean()), float(own["estimate"].std(ddof=1))
    half = student_t(0.5 + LEVEL / 2, len(own) - 1) * std / len(own) ** 0.5
    counts = {"n": int(own["n"].iloc[0]), "sources": int(own["sources"].iloc[0])}
    unknown = dict.fromkeys(("std_images", "std_both", "std_samples"), np.nan)
    return {
        **counts,
        "estimate": estimate,
        "low": estimate - half,
        "high": estimate + half,
        "std_trainings": std,
        **unknown,
    }
