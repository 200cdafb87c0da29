"""Calibration: are an image's samples spread as the originals are? Reliability curves, and in a word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from stages.evaluation import calibration
from stages.evaluation.calibration import Ranks
from stages.evaluation.statistics import benjamini_hochberg
from stages.evaluation.sweeps.comparison import by
from stages.pages import labels
from stages.pages.drawings import reliability
from stages.pages.drawings.reliability import Reliability
from stages.pages.found import Found
from stages.pages.section import Content, Nothing

TITLE = "Calibration"
ORDER = 15


@dataclass(frozen=True)
class Row:
    """One entry in one space; p is adjusted over the protocol's rows (Benjamini-Hochberg)."""

    entry: str
    space: str
    word: str
    rank: str
    error: str
    ratio: str
    p: str


@dataclass(frozen=True)
class Judged:
    """One protocol: a drawing a space, a row an entry and space."""

    protocol: str
    images: int
    photographs: int
    samples: int
    drawings: tuple[Reliability, ...]
    rows: tuple[Row, ...]


def content(found: Found) -> Content | Nothing:
    """Every protocol that has ranks of originals."""
    summary = by(found.scores.summary, "protocol", "method", "metric")
    ranked = {name: _ranks(own) for name, own in found.scores.long.groupby("protocol", sort=False, observed=True)}
    judged = [_judged(str(name), own, summary) for name, own in ranked.items() if own]
    if not judged:
        return Nothing("No protocol that is scored has calibration_pixel among its metrics, on eight samples an image.")
    return {"judged": judged}


def _ranks(long: pd.DataFrame) -> list[tuple[str, str, Ranks]]:
    """(entry, space, ranks) of one protocol."""
    entries = long.groupby("method", sort=False, observed=True)
    return [(str(entry), space, ranks) for entry, own in entries for space, ranks in calibration.read(own)]


def _judged(
    protocol: str, found: Sequence[tuple[str, str, Ranks]], summary: Mapping[tuple[str, ...], Mapping[str, Any]]
) -> Judged:
    spaces = dict.fromkeys(space for _, space, _ in found)
    adjusted = benjamini_hochberg([ranks.p() for *_, ranks in found])
    rows = [_row(*one, float(p), protocol, summary) for one, p in zip(found, adjusted, strict=True)]
    drawings = [reliability.draw(protocol, one, [(e, ranks) for e, s, ranks in found if s == one]) for one in spaces]
    first = found[0][2]
    return Judged(
        protocol, len(first.sources), first.photographs, first.ranks_NK.shape[1], tuple(drawings), tuple(rows)
    )


def _row(
    entry: str,
    space: str,
    ranks: Ranks,
    p: float,
    protocol: str,
    summary: Mapping[tuple[str, ...], Mapping[str, Any]],
) -> Row:
    mean = ranks.mean()
    ratio = summary.get((protocol, entry, f"spread_skill_{space}"))
    error = summary.get((protocol, entry, f"calibration_error_{space}"))
    return Row(
        entry,
        space.replace("_", " "),
        calibration.word(p, mean.estimate, ranks.photographs),
        _told(mean.estimate, mean.low, mean.high),
        _bounded(error),
        _bounded(ratio),
        labels.number(p),
    )


def _bounded(figure: Mapping[str, Any] | None) -> str:
    return "–" if figure is None else _told(figure["estimate"], figure["low"], figure["high"])


def _told(estimate: float, low: float, high: float) -> str:
    return f"{labels.number(estimate)} ({labels.number(low)} to {labels.number(high)})"
