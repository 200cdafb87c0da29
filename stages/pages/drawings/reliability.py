"""Reliability curves: how often the original lies among the nearest share of the samples, over that share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from stages.evaluation.calibration import Ranks

SIDE = 220.0  # of the plotting area, in the drawing's own units
TICKS = (0.0, 0.5, 1.0)


@dataclass(frozen=True)
class Curve:
    """One entry's polyline and the outline of its 95 % intervals, both from corner to corner."""

    entry: str
    points: str
    band: str


@dataclass(frozen=True)
class Reliability:
    """All entries in one space; the diagonal is calibrated."""

    protocol: str
    space: str
    curves: tuple[Curve, ...]
    ticks: tuple[tuple[float, str], ...] = tuple((tick * SIDE, f"{tick:g}") for tick in TICKS)
    side: float = SIDE


def draw(protocol: str, space: str, entries: Iterable[tuple[str, Ranks]]) -> Reliability:
    """The curves of entries by name, from their originals' ranks."""
    return Reliability(protocol, space, tuple(_curve(entry, ranks) for entry, ranks in entries))


def _curve(entry: str, ranks: Ranks) -> Curve:
    levels_M, coverage = ranks.curve()
    middle = [(0.0, 0.0), *((x, y.estimate) for x, y in zip(levels_M, coverage, strict=True)), (1.0, 1.0)]
    lower = [(x, y.low) for x, y in zip(levels_M, coverage, strict=True)]
    upper = [(x, y.high) for x, y in zip(levels_M, coverage, strict=True)]
    # without an interval, of one photograph, there is no band
    band = [(0.0, 0.0), *lower, (1.0, 1.0), *reversed(upper)] if ranks.photographs > 1 else []
    return Curve(entry, _path(middle), _path(band))


def _path(points: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{x * SIDE:.1f},{(1.0 - min(max(y, 0.0), 1.0)) * SIDE:.1f}" for x, y in points)
