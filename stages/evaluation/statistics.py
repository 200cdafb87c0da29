"""Intervals and comparisons of means over images that come in clusters (crops of one photograph).

The interval is the mean's cluster-robust one with Student's t at (clusters - 1) degrees of freedom: a percentile
bootstrap over few clusters is too narrow (tests/evaluation/test_statistics.py simulates both).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import t as student

MIN_SOURCES = 20  # below, no winner is named
DRAWS = 9999  # sign flips of a permutation test: p is at least 1e-4
LEVEL = 0.95


@dataclass(frozen=True)
class Estimate:
    """A mean over images, its 95 % interval (NaN where one cluster allows none), and the std over images."""

    estimate: float
    low: float
    high: float
    std: float
    n: int
    clusters: int


@dataclass(frozen=True)
class Paired:
    """Mean difference a - b on the same images, its 95 % interval, and p of no difference."""

    difference: float
    low: float
    high: float
    p: float
    n: int
    clusters: int


def interval(values: ArrayLike, clusters: Sequence[str]) -> Estimate:
    """The mean of one value an image. NaN values (a metric that an image does not define) are left out."""
    values_N = np.asarray(values, dtype=np.float64)
    there_N = ~np.isnan(values_N)
    values_N, names = values_N[there_N], np.asarray(clusters, dtype=object)[there_N]
    if not len(values_N):
        return Estimate(np.nan, np.nan, np.nan, np.nan, 0, 0)
    totals_G, mean = _cluster_totals(values_N, names)
    half = _half_width(totals_G, len(values_N))
    std = float(values_N.std(ddof=1)) if len(values_N) > 1 else 0.0
    return Estimate(mean, mean - half, mean + half, std, len(values_N), len(totals_G))


def paired(a: ArrayLike, b: ArrayLike, clusters: Sequence[str], seed: int = 0) -> Paired:
    """Two methods on the same images: signs of whole clusters are flipped for p (two-sided, never 0)."""
    difference_N = np.asarray(a, dtype=np.float64) - np.asarray(b, dtype=np.float64)
    told = interval(difference_N, clusters)
    there_N = ~np.isnan(difference_N)
    sums_G = _sums(difference_N[there_N], np.asarray(clusters, dtype=object)[there_N])
    signs_PG = np.random.default_rng(seed).choice((-1.0, 1.0), size=(DRAWS, len(sums_G)))
    # ties count as extreme, up to rounding
    extreme = int((np.abs(signs_PG @ sums_G) >= abs(sums_G.sum()) * (1 - 1e-12)).sum())
    return Paired(told.estimate, told.low, told.high, (1 + extreme) / (1 + DRAWS), told.n, told.clusters)


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Holm's (1979) adjusted p values, in the given order: the family-wise error of a table is kept."""
    p_M = np.asarray(p_values, dtype=np.float64)
    order_M = np.argsort(p_M, kind="stable")
    stepped_M = p_M[order_M] * np.arange(len(p_M), 0, -1)
    adjusted_M = np.empty_like(p_M)
    adjusted_M[order_M] = np.minimum(np.maximum.accumulate(stepped_M), 1.0)
    return adjusted_M


def _cluster_totals(values_N: NDArray[np.float64], names_N: NDArray[np.object_]) -> tuple[NDArray[np.float64], float]:
    """Per cluster the sum of deviations from the mean; and the mean."""
    mean = float(values_N.mean())
    return _sums(values_N - mean, names_N), mean


def _sums(values_N: NDArray[np.float64], names_N: NDArray[np.object_]) -> NDArray[np.float64]:
    _, index_N = np.unique(names_N.astype(str), return_inverse=True)
    return np.bincount(index_N, weights=values_N).astype(np.float64)


def _half_width(totals_G: NDArray[np.float64], count: int) -> float:
    clusters = len(totals_G)
    if clusters < 2:
        return float("nan")
    variance = clusters / (clusters - 1) * float(np.square(totals_G).sum()) / count**2
    return float(student.ppf(0.5 + LEVEL / 2, clusters - 1)) * variance**0.5
