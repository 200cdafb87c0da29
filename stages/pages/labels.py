"""What readers see of a metric: what its own file calls it, where its column stands, numbers in few digits."""

import math

from stages.evaluation.evaluator import HOLE_RATIO
from stages.metrics.core.label import Label
from stages.metrics.core.lookup import label

__all__ = ["Label", "count", "is_column", "label", "number", "order"]


def order(metric: str) -> tuple[int, float, str]:
    """Sorts columns: by group, then by the metrics' own ranks, then by name."""
    return *label(metric).place, metric


def is_column(metric: str) -> bool:
    """Whether the metric has a column; others are told in words beside the table."""
    return metric != HOLE_RATIO and label(metric).column


def count(value: float) -> str:
    """A count, rounded up; a dash for none."""
    return f"{math.ceil(value):,}" if math.isfinite(value) else "–"


def number(value: float, digits: int = 3) -> str:
    """A number with so many significant digits, without an exponent where it can be read without."""
    if not math.isfinite(value):
        return "–"
    if value and abs(value) < 10**-digits:
        return f"{value:.1e}"
    places = max(0, digits - 1 - math.floor(math.log10(abs(value)))) if value else digits - 1
    return f"{value:,.{min(places, digits)}f}"
