"""Axes: round numbers along them, and short words for these."""

from __future__ import annotations

import math
from collections.abc import Sequence


def nice(low: float, high: float) -> list[float]:
    """Three to six round numbers, evenly spaced, that enclose the range (low < high)."""
    power = 10 ** math.floor(math.log10((high - low) / 2))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if (high - low) / (power * factor) <= 4)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [i * step for i in range(first, last + 1)]


def tick_labels(ticks: Sequence[float]) -> list[str]:
    """Evenly spaced ticks as text, with as many decimals as their step needs."""
    step = ticks[1] - ticks[0]
    places = next(places for places in range(16) if abs(round(step, places) - step) < 1e-3 * step)
    return [f"{tick:,.{places}f}" for tick in ticks]


def short(count: float) -> str:
    """A count in a few characters: 950, 12k, 3.4M."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if count >= size:
            return f"{count / size:.3g}{letter}"
    return f"{count:.0f}"
