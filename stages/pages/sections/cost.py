"""Cost: what a completion takes, seconds an image by phase, memory, and where it was measured; what training took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stages.pages.found import Found
from stages.pages.section import Content

TITLE = "Cost"
ORDER = 60
TOTAL = "total"


@dataclass(frozen=True)
class Phase:
    """One phase's share of the longest bar of its test set."""

    name: str
    median: str
    share: float


@dataclass(frozen=True)
class Cost:
    """One entry on one test set; `joules` a sample, or why there are none (`no_joules`)."""

    entry: str
    testset: str
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


def content(found: Found) -> Content:
    """The cost of sampling, and of training."""
    return {"costs": compare(found.scores.cost), "trained": found.parts}


def compare(rows: Sequence[Mapping[str, Any]]) -> list[Cost]:
    """Rows (method, testset, phase, median, p95 ...) as one Cost an entry and test set; its bars share one scale."""
    longest = {
        testset: max(_seconds(row) for row in totals(rows) if row["testset"] == testset)
        for testset in dict.fromkeys(row["testset"] for row in totals(rows))
    }
    ordered = sorted(totals(rows), key=lambda total: list(longest).index(total["testset"]))
    return [_cost(total, _phases(rows, total), longest[total["testset"]]) for total in ordered]


def totals(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Those of whole calls, of an entry on a test set each."""
    return [row for row in rows if row["phase"] == TOTAL]


def seconds_a_sample(total: Mapping[str, Any]) -> float:
    """What one completion takes."""
    return _seconds(total) / int(total["samples"])


def _seconds(row: Mapping[str, Any]) -> float:
    # a test set of one call has no other than the first
    return float(row["warm_up"] if row["median"] is None else row["median"])


def _phases(rows: Sequence[Mapping[str, Any]], total: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    own = [row for row in rows if all(row[name] == total[name] for name in ("method", "testset"))]
    return [row for row in own if row["phase"] != TOTAL] or [total]


def _cost(total: Mapping[str, Any], phases: Sequence[Mapping[str, Any]], longest: float) -> Cost:
    return Cost(
        total["method"],
        total["testset"],
        f"{total['hole']:.0%}",
        milliseconds(total["median"]),
        milliseconds(total["p95"]),
        milliseconds(total["warm_up"]),
        milliseconds(seconds_a_sample(total)),
        int(total["samples"]),
        int(total["images"]),
        f"{total['peak_memory_bytes'] / 2**20:,.0f} MiB",
        "" if total["joules"] is None else f"{total['joules']:.3g} J",
        total["no_joules"],
        total["device"],
        tuple(Phase(p["phase"], milliseconds(_seconds(p)), _seconds(p) / longest if longest else 0.0) for p in phases),
    )


def milliseconds(seconds: float | None) -> str:
    """A short time in ms, a long one in s; a dash where none was measured."""
    if seconds is None:
        return "–"
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1e3:.1f} ms"
