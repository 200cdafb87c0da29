"""A sweep's points as a table: every point's scores, and their paired differences from the reference point's."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from stages.evaluation.sweeps import comparison
from stages.evaluation.sweeps.points import Sweep
from stages.pages import labels
from stages.pages.tables.cells import ARROWS


@dataclass(frozen=True)
class Score:
    """A point's estimate with its interval, and its paired difference from the reference point ("" for none)."""

    text: str
    interval: str = ""
    difference: str = ""
    why: str = ""


@dataclass(frozen=True)
class Points:
    """One entry under one protocol: a row a point (its name, its values of the varied keys, its scores by metric)."""

    entry: str
    protocol: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...], tuple[Score, ...]], ...]


def tables(sweep: Sweep, frame: pd.DataFrame, pairs: pd.DataFrame, names: Mapping[str, str]) -> Iterator[Points]:
    """By entry and protocol; `frame` and `pairs` as `comparison` has them, `names` what each varied key is called."""
    differences = comparison.by(pairs, "method", "protocol", "point", "metric")
    for (entry, protocol), own in frame.groupby(["method", "protocol"], sort=False):
        better = dict(zip(own["metric"], own["better"], strict=True))
        metrics, there = sorted(better, key=labels.order), comparison.by(own, "point", "metric")
        heads = tuple(f"{labels.label(metric).text} {ARROWS.get(better[metric], '')}".strip() for metric in metrics)
        rows = []
        for point in sweep.points:
            values = tuple(point.text(key) for key in names)
            keys = [(point.name, metric) for metric in metrics]
            scores = [_score(there.get(key), differences.get((str(entry), str(protocol), *key))) for key in keys]
            rows.append((point.name, values, tuple(scores)))
        yield Points(str(entry), str(protocol), (*names.values(), *heads), tuple(rows))


def _score(own: Mapping[str, Any] | None, pair: Mapping[str, Any] | None) -> Score:
    if own is None:
        return Score("–")
    interval = f"{labels.number(own['low'])} – {labels.number(own['high'])}" if math.isfinite(own["low"]) else ""
    if pair is None:
        return Score(labels.number(own["estimate"]), interval)
    sign, star = ("+" if pair["difference"] > 0 else ""), ("*" if pair["sure"] else "")
    ends = f"{labels.number(pair['low'])} to {labels.number(pair['high'])}"
    why = f"difference from {pair['reference']} on the same {pair['n']} images: {ends}, p (Holm) {pair['p_holm']:.2g}, "
    why += f"(Benjamini-Hochberg) {pair['p_bh']:.2g}; so many show {labels.number(pair['detectable'])} at 80 % power"
    why += f", and {labels.count(pair['needed'])} would show this one"
    return Score(labels.number(own["estimate"]), interval, f"{sign}{labels.number(pair['difference'])}{star}", why)
