"""Intervals and comparisons of means over images that come in clusters (crops of one photograph).

The interval is the mean's cluster-robust one with Student's t at (clusters - 1) degrees of freedom: a percentile
bootstrap over few clusters is too narrow (tests/evaluation/test_statistics.py simulates both).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stages.evaluation.power import LEVEL, clusters_for, smallest, standard_error, student_t

MIN_SOURCES = 20  # below, no winner is named
DRAWS = 9999  # sign flips of a permutation test: p is at least 1e-4
CELLS = 2**22  # signs that are drawn at once: 32 MiB, however many clusters there are; the draws are the same


@dataclass(frozen=True)
class Estimate:
    """A mean over images, its 95 % interval (NaN where one cluster allows none), and the std over images."""

    estimate: float
    low: float
    high: float
    std: float
    n: int
    clusters: int

    @property
    def error(self) -> float:
        """The standard error of the mean."""
        return standard_error(self.low, self.high, self.clusters)


@dataclass(frozen=True)
class Paired:
    """Mean difference a - b on the same images, its 95 % interval, and p of no difference.

    `detectable`: the smallest difference that so many images show at a power of 80 % (one comparison, p < 0.05);
    `needed`: how many images, of as many photographs each, would show this one so. NaN where nothing tells the spread.
    """

    difference: float
    low: float
    high: float
    p: float
    n: int
    clusters: int

    def told(self) -> dict[str, float]:
        """As a row of a table, photographs as `sources`."""
        ends = {"difference": self.difference, "low": self.low, "high": self.high, "p": self.p}
        return {**ends, "n": self.n, "sources": self.clusters, "detectable": self.detectable, "needed": self.needed}

    @property
    def error(self) -> float:
        """The standard error of the difference."""
        return standard_error(self.low, self.high, self.clusters)

    @property
    def detectable(self) -> float:
        return smallest(self.error, self.clusters)

    @property
    def needed(self) -> float:
        return self.n / self.clusters * clusters_for(self.difference, self.error * self.clusters**0.5)


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
    sums_G = sums(difference_N[there_N], np.asarray(clusters, dtype=object)[there_N])
    least = abs(sums_G.sum()) * (1 - 1e-12)  # ties count as extreme, up to rounding
    extreme = sum(int((np.abs(signs_PG @ sums_G) >= least).sum()) for signs_PG in _signs(len(sums_G), seed))
    return Paired(told.estimate, told.low, told.high, (1 + extreme) / (1 + DRAWS), told.n, told.clusters)


def _signs(clusters: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """DRAWS rows of a sign a cluster, so many at once as have CELLS signs."""
    rng, rows = np.random.default_rng(seed), max(1, CELLS // max(1, clusters))
    for start in range(0, DRAWS, rows):
        yield rng.choice((-1.0, 1.0), size=(min(rows, DRAWS - start), clusters))


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Holm's (1979) adjusted p values, in the given order: the family-wise error of a table is kept."""
    p_M = np.asarray(p_values, dtype=np.float64)
    order_M = np.argsort(p_M, kind="stable")
    stepped_M = p_M[order_M] * np.arange(len(p_M), 0, -1)
    adjusted_M = np.empty_like(p_M)
    adjusted_M[order_M] = np.minimum(np.maximum.accumulate(stepped_M), 1.0)
    return adjusted_M


def benjamini_hochberg(p_values: ArrayLike) -> NDArray[np.float64]:
    """Benjamini and Hochberg's (1995) adjusted p values, in the given order: of those called, a share is false."""
    p_M = np.asarray(p_values, dtype=np.float64)
    order_M = np.argsort(p_M, kind="stable")[::-1]
    stepped_M = p_M[order_M] * len(p_M) / np.arange(len(p_M), 0, -1)
    adjusted_M = np.empty_like(p_M)
    adjusted_M[order_M] = np.minimum.accumulate(stepped_M)
    return adjusted_M


def _cluster_totals(values_N: NDArray[np.float64], names_N: NDArray[np.object_]) -> tuple[NDArray[np.float64], float]:
    """Per cluster the sum of deviations from the mean; and the mean."""
    mean = float(values_N.mean())
    return sums(values_N - mean, names_N), mean


def sums(values_N: NDArray[np.float64], names_N: NDArray[np.object_]) -> NDArray[np.float64]:
    """By cluster."""
    _, index_N = np.unique(names_N.astype(str), return_inverse=True)
    return np.bincount(index_N, weights=values_N).astype(np.float64)


def variance_of_mean(totals_G: NDArray[np.float64], count: int) -> float:
    """From the clusters' sums of deviations of `count` values; NaN for one cluster."""
    clusters = len(totals_G)
    if clusters < 2:
        return float("nan")
    return clusters / (clusters - 1) * float(np.square(totals_G).sum()) / count**2


def _half_width(totals_G: NDArray[np.float64], count: int) -> float:
    return student_t(0.5 + LEVEL / 2, len(totals_G) - 1) * variance_of_mean(totals_G, count) ** 0.5
