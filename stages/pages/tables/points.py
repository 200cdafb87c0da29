"""A sweep's points as a table: each one's trained parts, scores, and paired differences from the reference point's."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from stages.evaluation.sweeps import comparison
from stages.evaluation.sweeps.points import Sweep
from stages.pages import labels
from stages.pages.parts import duration
from stages.pages.tables.cells import ARROWS


@dataclass(frozen=True)
class Score:
    """A point's estimate with its interval, and its paired difference from the reference point ("" for none).

    Or a part's parameters, the time that it learnt, and its steps.
    """

    text: str
    interval: str = ""
    difference: str = ""
    why: str = ""


@dataclass(frozen=True)
class Points:
    """One entry under one protocol: a row a point (name, values of the varied keys, its parts and scores)."""

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
        parts = list(dict.fromkeys(part for point in sweep.points for part in point.trainings(str(entry))))
        rows = []
        for point in sweep.points:
            values = tuple(point.text(key) for key in names)
            keys = [(point.name, metric) for metric in metrics]
            scores = [_score(there.get(key), differences.get((str(entry), str(protocol), *key))) for key in keys]
            trainings = point.trainings(str(entry))
            rows.append((point.name, values, (*(_trained(trainings.get(part)) for part in parts), *scores)))
        learnt = (f"{part}: parameters" for part in parts)
        yield Points(str(entry), str(protocol), (*names.values(), *learnt, *heads), tuple(rows))


def _trained(one: Mapping[str, float] | None) -> Score:
    if one is None:
        return Score("–")
    finite = f"{one['steps'] - one['skipped_steps']:,} of {one['steps']:,} steps"
    why = f"learnt in {duration(one['seconds'])}; {finite} had gradients that are finite"
    return Score(f"{one['parameters']:,}", duration(one["seconds"]), finite, why)


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
