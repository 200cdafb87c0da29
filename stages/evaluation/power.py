"""How small a difference can be seen, and how many photographs show it: the power of a t test over clusters."""

from __future__ import annotations

import math

from scipy.stats import t as student

LEVEL = 0.95  # of intervals; a test is of 1 - LEVEL, two-sided
POWER = 0.8  # of finding a difference that is there; as is usual


def smallest(error: float, clusters: int) -> float:
    """The smallest mean that a t test of LEVEL finds with POWER, given its standard error."""
    return (student_t(0.5 + LEVEL / 2, clusters - 1) + student_t(POWER, clusters - 1)) * error


def clusters_for(difference: float, spread: float) -> float:
    """How many clusters show a mean of `difference` so, where the error is `spread` over the root of their count."""
    if not difference or math.isnan(spread):
        return float("nan")
    low, high = 1, 2
    while smallest(spread / high**0.5, high) > abs(difference):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if smallest(spread / middle**0.5, middle) > abs(difference) else (low, middle)
    return float(high)


def standard_error(low: float, high: float, clusters: int) -> float:
    """Of a mean over clusters, from its interval."""
    return (high - low) / 2.0 / student_t(0.5 + LEVEL / 2, clusters - 1)


def student_t(share: float, freedom: float) -> float:
    """The quantile of Student's t; NaN without a degree of freedom."""
    return float(student.ppf(share, freedom)) if freedom > 0 else float("nan")
