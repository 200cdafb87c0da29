"""What a completion costs: seconds an image by phase, memory, and where it was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

TOTAL = "total"


@dataclass(frozen=True)
class Phase:
    """One phase's share of the longest bar of its draw."""

    name: str
    median: str
    share: float


@dataclass(frozen=True)
class Cost:
    """One row on one draw; `joules` a sample, or why there are none (`no_joules`)."""

    row: str
    draw: str
    hole: str
    median: str
    p95: str
    warm_up: str
    a_sample: str
    samples: int
    images: int
    memory: str
    joules: str
    no_joules: str
    device: str
    phases: tuple[Phase, ...]


def compare(entries: Sequence[Mapping[str, Any]]) -> list[Cost]:
    """Entries (method, draw, phase, median, p95 ...) as one Cost a row and draw; bars share one scale a draw."""
    totals = [entry for entry in entries if entry["phase"] == TOTAL]
    longest = {
        draw: max(_seconds(e) for e in totals if e["draw"] == draw) for draw in dict.fromkeys(e["draw"] for e in totals)
    }
    ordered = sorted(totals, key=lambda total: list(longest).index(total["draw"]))
    return [_cost(total, _phases(entries, total), longest[total["draw"]]) for total in ordered]


def _seconds(entry: Mapping[str, Any]) -> float:
    # a draw of one call has no other than the first
    return float(entry["warm_up"] if entry["median"] is None else entry["median"])


def _phases(entries: Sequence[Mapping[str, Any]], total: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    same = [e for e in entries if (e["method"], e["draw"]) == (total["method"], total["draw"]) and e["phase"] != TOTAL]
    return same or [total]


def _cost(total: Mapping[str, Any], phases: Sequence[Mapping[str, Any]], longest: float) -> Cost:
    return Cost(
        total["method"],
        total["draw"],
        f"{total['hole']:.0%}",
        milliseconds(total["median"]),
        milliseconds(total["p95"]),
        milliseconds(total["warm_up"]),
        milliseconds(_seconds(total) / total["samples"]),
        int(total["samples"]),
        int(total["images"]),
        f"{total['peak_memory_bytes'] / 2**20:,.0f} MiB",
        "" if total["joules"] is None else f"{total['joules']:.3g} J",
        total["no_joules"],
        total["device"],
        tuple(Phase(e["phase"], milliseconds(_seconds(e)), _seconds(e) / longest if longest else 0.0) for e in phases),
    )


def milliseconds(seconds: float | None) -> str:
    """A short time in ms, a long one in s; a dash where none was measured."""
    if seconds is None:
        return "–"
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1e3:.1f} ms"
