"""One column's values as cells: text, interval, who is best, and whiskers on the column's common scale."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stages.pages import labels

ARROWS = {"higher": "↑", "lower": "↓"}
MARK = "†"  # of a value by a network that the row's own losses read


@dataclass(frozen=True)
class Cell:
    """One value: `best` the best estimate, `winner` one that beats all others beyond chance.

    low, high and at place its whisker on the column's common scale, 0 to 1. `trainer` is the network that gave the
    value, where the row's own losses read that very network; else "".
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
    trainer: str = ""


def column(rows: Sequence[Mapping[str, Any] | None], reasons: Sequence[str], winner: str | None = None) -> list[Cell]:
    """A cell an entry, from its row of a summary; None where it has no such value (the reason beside it)."""
    given = [row for row in rows if row is not None and math.isfinite(row["estimate"])]
    ends = [row[end] for row in given for end in ("estimate", "low", "high") if math.isfinite(row[end])]
    low, high = (min(ends), max(ends)) if ends else (0.0, 0.0)
    best = _best(given)
    return [_cell(row, reason, (best, winner), low, high) for row, reason in zip(rows, reasons, strict=True)]


def _best(rows: Sequence[Mapping[str, Any]]) -> float | None:
    if len(rows) < 2 or rows[0]["better"] not in ARROWS:
        return None
    choose = max if rows[0]["better"] == "higher" else min
    return choose(row["estimate"] for row in rows)


def _cell(
    row: Mapping[str, Any] | None, reason: str, named: tuple[float | None, str | None], low: float, high: float
) -> Cell:
    if row is None or not math.isfinite(row["estimate"]):
        return Cell(None, why=reason)
    value = float(row["estimate"])
    ends = [float(row["low"]), float(row["high"])]
    bounded = all(map(math.isfinite, ends))
    scale = [(end - low) / (high - low) if high > low else 0.5 for end in (value, *ends)]
    return Cell(
        value,
        labels.number(value),
        f"{labels.number(ends[0])} – {labels.number(ends[1])}" if bounded else "",
        value == named[0],
        row["method"] == named[1],
        scale[0],
        *(scale[1:] if bounded else (None, None)),
    )
