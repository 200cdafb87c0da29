"""Who is better than whom on one protocol: paired differences on the same images, Holm over the table's pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import pandas as pd

from stages.evaluation.protocols import Selection
from stages.evaluation.scores import per_image
from stages.evaluation.statistics import DRAWS, MIN_SOURCES, benjamini_hochberg, holm, paired
from stages.pages import labels

LEVEL = 0.05  # of the family of all pairs of entries under all metrics of a table
COLUMNS = (
    "metric",
    "a",
    "b",
    "difference",
    "low",
    "high",
    "p",
    "p_holm",
    "p_bh",
    "n",
    "sources",
    "detectable",
    "needed",
)


@dataclass(frozen=True)
class Verdict:
    """One protocol's comparison: winners by metric, a sentence, and every pair (COLUMNS) behind it."""

    winners: Mapping[str, str]
    said: str
    pairs: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(COLUMNS)))


def judge(long: pd.DataFrame, better: Mapping[str, str], selection: Selection, sources: int) -> Verdict:
    """All entries of one protocol's long table; `better` is the direction of each metric that is to be compared."""
    found = _pairs(long, [metric for metric, way in better.items() if way], selection)
    if found.empty:
        return Verdict({}, "")
    if sources < MIN_SOURCES:
        return Verdict({}, f"No winner is named under {MIN_SOURCES} photographs: here are {sources}.", found)
    winners = {metric: entry for metric, way in better.items() if (entry := _winner(found, metric, way))}
    return Verdict(winners, _said(winners, len(found)), found)


def _pairs(long: pd.DataFrame, metrics: Sequence[str], selection: Selection) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for metric in metrics:
        values = {entry: per_image(own, metric, selection) for entry, own in long.groupby("method", sort=False)}
        there = {str(entry): frame for entry, frame in values.items() if len(frame)}
        rows += [{"metric": metric, "a": a, "b": b, **_pair(there[a], there[b])} for a, b in combinations(there, 2)]
    frame = pd.DataFrame(rows)
    if not rows:
        return pd.DataFrame(columns=list(COLUMNS))
    return frame.assign(p_holm=holm(frame["p"]), p_bh=benjamini_hochberg(frame["p"]))[list(COLUMNS)]


def _pair(a: pd.DataFrame, b: pd.DataFrame) -> dict[str, float]:
    both = a.join(b["value"].rename("other"), how="inner")
    return paired(both["value"], both["other"], both["source"].tolist()).told()


def _winner(pairs: pd.DataFrame, metric: str, way: str) -> str:
    """The entry that is better than every other one, each difference beyond chance; else none."""
    here = pairs[pairs["metric"] == metric]
    sign = 1 if way == "higher" else -1
    entries = pd.unique(pd.concat([here["a"], here["b"]]))
    sure = here[here["p_holm"] < LEVEL]
    ahead = pd.concat([sure.loc[sign * sure["difference"] > 0, "a"], sure.loc[sign * sure["difference"] < 0, "b"]])
    return next((str(entry) for entry in entries if (ahead == entry).sum() == len(entries) - 1), "")


def _said(winners: Mapping[str, str], count: int) -> str:
    family = f"paired on the same images, sign flips of whole photographs, Holm over {count} pairs"
    if count / (DRAWS + 1) >= LEVEL:
        return f"No winner can be named among {count} pairs: {DRAWS:,} sign flips do not tell so many apart."
    if not winners:
        return f"No row beats all others beyond chance ({family})."
    won = {entry: [labels.label(m).text for m, w in winners.items() if w == entry] for entry in winners.values()}
    told = "; ".join(f"{entry} in {', '.join(metrics)}" for entry, metrics in won.items())
    return f"Better than all others beyond chance (p < {LEVEL}; {family}): {told}."
