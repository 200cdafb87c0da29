"""What the originals' ranks among their samples say (`stages.metrics.calibration`): curve, error, p, and in a word.

The curve is TARP's (Lemos et al. 2023): how often the original is among the nearest m of the K pictures around a
reference, over the level m / K; the diagonal is calibrated. Its error is the mean |coverage - level|. p is of uniform
ranks: Hotelling's test, over photographs, that the ranks' first two moments are a uniform rank's (Neyman 1937).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import f as fisher

from stages.evaluation.statistics import MIN_SOURCES, Estimate, interval
from stages.metrics.core import subsampling

METRIC = "calibration_"  # how the names of metrics of ranks begin; what follows is their space
LEVEL = 0.05  # from this p on, samples fit
CURVE = 20  # levels of a curve at most
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Ranks:
    """Of N images, each seen from its K completions, in (0, 1); their photographs."""

    ranks_NK: Floats
    sources: tuple[str, ...]

    @property
    def photographs(self) -> int:
        """How many."""
        return len(set(self.sources))

    def mean(self) -> Estimate:
        """The mean rank with its interval: 0.5 calibrated, above too narrow, below too wide."""
        return interval(self.ranks_NK.mean(axis=1), self.sources)

    def error(self) -> tuple[float, float, float]:
        """The mean |coverage - level| over all levels, and its interval."""
        covered_NM, levels_M = covered(self.ranks_NK)

        def number(images_M: NDArray[np.int64]) -> float:
            return float(np.abs(covered_NM[images_M].mean(axis=0) - levels_M).mean())

        estimate = number(np.arange(len(covered_NM)))
        low, high = subsampling.interval(number, estimate, self.sources)
        return estimate, max(low, 0.0), high

    def curve(self) -> tuple[Floats, list[Estimate]]:
        """Levels, and at each the coverage with its interval."""
        covered_NM, levels_M = covered(self.ranks_NK)
        some = np.unique(np.linspace(0, len(levels_M) - 1, min(CURVE, len(levels_M))).round().astype(int))
        return levels_M[some], [interval(covered_NM[:, m], self.sources) for m in some]

    def p(self) -> float:
        """Of uniform ranks; NaN for fewer than four photographs."""
        centred_NK, count = self.ranks_NK - 0.5, self.ranks_NK.shape[1]
        variance = (1.0 - 1.0 / count**2) / 12.0  # of a uniform rank of `count` places
        return all_zero(
            np.stack([centred_NK.mean(axis=1), (centred_NK**2 - variance).mean(axis=1)], axis=1), self.sources
        )


def read(long: pd.DataFrame) -> Iterator[tuple[str, Ranks]]:
    """The ranks in a long table of one entry and protocol, by space (`pixel`); images without a hole are left out."""
    for metric in (name for name in long["metric"].unique() if str(name).startswith(METRIC)):
        rows = long[long["metric"] == metric].dropna(subset="value")
        table = rows.pivot_table(index=["image", "source"], columns="k", values="value", observed=True)
        if len(table):
            sources = tuple(map(str, table.index.get_level_values("source")))
            yield str(metric).removeprefix(METRIC), Ranks(table.to_numpy(dtype=np.float64), sources)


def numbers(long: pd.DataFrame) -> dict[str, tuple[float, float, float]]:
    """What a summary has of them: (estimate, low, high) of `calibration_error_<space>` and `calibration_p_<space>`."""
    told = {}
    for ending, ranks in read(long):
        told[f"{METRIC}error_{ending}"] = ranks.error()
        told[f"{METRIC}p_{ending}"] = (ranks.p(), np.nan, np.nan)
    return told


def word(p: float, mean: float, photographs: int) -> str:
    """From p = LEVEL on "fits"; below, "too narrow" where originals lie farther out than samples, else "too wide"."""
    if photographs < MIN_SOURCES or np.isnan(p):
        return f"under {MIN_SOURCES} photographs: too few to say"
    if p >= LEVEL:
        return "fits"
    return "too narrow" if mean > 0.5 else "too wide"


def covered(ranks_NK: Floats) -> tuple[Floats, Floats]:
    """By image and level m / K, 0 < m < K: from how many references the original is among the nearest m; the levels."""
    count = ranks_NK.shape[1]
    twice_NK1 = np.rint(2 * count * ranks_NK)[..., None]  # whole: an equal distance is half a place
    ends_M = 2.0 * np.arange(1, count)
    covered_NKM = (twice_NK1 < ends_M) + (twice_NK1 == ends_M) / 2.0
    return covered_NKM.mean(axis=1), ends_M / (2 * count)


def all_zero(values_ND: Floats, clusters: Sequence[str]) -> float:
    """p of D means that are all zero, by Hotelling's T^2 of clusters; NaN where there are too few of them."""
    _, index_N = np.unique(np.asarray(clusters, dtype=str), return_inverse=True)
    groups, (count, width) = int(index_N.max()) + 1, values_ND.shape
    if groups < width + 2:
        return float("nan")
    mean_D = values_ND.mean(axis=0)
    totals_GD = np.zeros((groups, width))
    np.add.at(totals_GD, index_N, values_ND - mean_D)
    covariance_DD = groups / (groups - 1) * totals_GD.T @ totals_GD / count**2
    # a method without randomness gives one rank: the tiniest variance keeps the test defined, and certain
    square = float(mean_D @ np.linalg.solve(covariance_DD + 1e-12 * np.eye(width), mean_D))
    return float(fisher.sf(square * (groups - width) / (width * (groups - 1)), width, groups - width))
