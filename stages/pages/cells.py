"""One column's figures as cells: text, interval, who is best, and whiskers on the column's common scale."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stages.pages import words

ARROWS = {"higher": "↑", "lower": "↓"}


@dataclass(frozen=True)
class Cell:
    """One figure: `best` the best estimate, `winner` one that beats all others beyond chance.

    low, high and at place its whisker on the column's common scale, 0 to 1.
    """

    value: float | None
    text: str = "–"
    interval: str = ""
    best: bool = False
    winner: bool = False
    at: float | None = None
    low: float | None = None
    high: float | None = None
    why: str = ""


def column(
    entries: Sequence[Mapping[str, Any] | None], reasons: Sequence[str], winner: str | None = None
) -> list[Cell]:
    """A cell a row; an entry is a row of a summary, None where the row has no such figure (its reason beside it)."""
    given = [entry for entry in entries if entry is not None and math.isfinite(entry["estimate"])]
    ends = [e[end] for e in given for end in ("estimate", "low", "high") if math.isfinite(e[end])]
    low, high = (min(ends), max(ends)) if ends else (0.0, 0.0)
    best = _best(given)
    return [_cell(entry, reason, (best, winner), low, high) for entry, reason in zip(entries, reasons, strict=True)]


def _best(entries: Sequence[Mapping[str, Any]]) -> float | None:
    if len(entries) < 2 or entries[0]["better"] not in ARROWS:
        return None
    choose = max if entries[0]["better"] == "higher" else min
    return choose(entry["estimate"] for entry in entries)


def _cell(
    entry: Mapping[str, Any] | None, reason: str, named: tuple[float | None, str | None], low: float, high: float
) -> Cell:
    if entry is None or not math.isfinite(entry["estimate"]):
        return Cell(None, why=reason)
    value = float(entry["estimate"])
    ends = [float(entry["low"]), float(entry["high"])]
    bounded = all(map(math.isfinite, ends))
    scale = [(end - low) / (high - low) if high > low else 0.5 for end in (value, *ends)]
    return Cell(
        value,
        words.number(value),
        f"{words.number(ends[0])} – {words.number(ends[1])}" if bounded else "",
        value == named[0],
        entry["method"] == named[1],
        scale[0],
        *(scale[1:] if bounded else (None, None)),
    )
