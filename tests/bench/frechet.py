"""The Frechet distance: scipy's matrix square root against the routes of `metrics.frechet`.

From features to the number, and (where n > d) the part that differs alone: from both covariances on.
"""

import time
from collections.abc import Callable
from statistics import median

import numpy as np
import scipy.linalg
import torch

from stages.metrics.core.frechet import Gaussian, factor, fit, frechet

Statistics = tuple[np.ndarray, np.ndarray]  # mean, covariance


def statistics(x_ND: np.ndarray) -> Statistics:
    """Mean and covariance as they are commonly computed."""
    return x_ND.mean(0), np.cov(x_ND, rowvar=False)


def peer_term(one: Statistics, other: Statistics) -> float:
    """The definition as it is commonly computed."""
    root = scipy.linalg.sqrtm(one[1] @ other[1]).real
    return float(np.square(one[0] - other[0]).sum() + np.trace(one[1]) + np.trace(other[1]) - 2 * np.trace(root))


def ours_term(one: Statistics, other: Statistics) -> float:
    """Covariances -> number."""
    return frechet(Gaussian(one[0], factor(one[1])), Gaussian(other[0], factor(other[1])))


def peer(x_ND: np.ndarray, y_ND: np.ndarray) -> float:
    """Features -> number."""
    return peer_term(statistics(x_ND), statistics(y_ND))


def ours(x_ND: np.ndarray, y_ND: np.ndarray) -> float:
    """Features -> number."""
    return frechet(fit(torch.from_numpy(x_ND)), fit(torch.from_numpy(y_ND)))


def rows() -> list[tuple[str, float, float]]:
    """(name, peer's seconds, our seconds), in turn, the median of rounds."""
    small, few, many = features(2000, 256), features(1000, 2048), features(4000, 2048)
    told = [statistics(side_ND) for side_ND in many]
    return [
        _row("n=2000 d=256: sqrtm / fast route", peer, ours, small, rounds=5),
        _row("n=1000 d=2048: sqrtm / fast route", peer, ours, few, rounds=1),
        _row("n=4000 d=2048: sqrtm / fast route", peer, ours, many, rounds=1),
        _row("n=4000 d=2048, covariances given: sqrtm / fast route", peer_term, ours_term, told, rounds=1),
    ]


def features(count: int, width: int) -> list[np.ndarray]:
    """Two sets of correlated features."""
    rng = np.random.default_rng(0)
    mix_DD = rng.normal(size=(width, width)) / width**0.5
    return [rng.normal(loc=shift, size=(count, width)) @ mix_DD for shift in (0.0, 0.1)]


def _row(name: str, theirs: Callable, own: Callable, sides: list, rounds: int) -> tuple[str, float, float]:
    peers, mine = [], []
    for _ in range(rounds):
        mine.append(_timed(own, *sides))
        peers.append(_timed(theirs, *sides))
        mine.append(_timed(own, *sides))
    values = [value for value, _ in (*peers, *mine)]
    assert max(values) - min(values) < 1e-3 + 1e-6 * max(values), "peer and ours disagree"
    return f"Frechet distance, {name}", median(s for _, s in peers), median(s for _, s in mine)


def _timed(compute: Callable, *sides: object) -> tuple[float, float]:
    begin = time.perf_counter()
    value = compute(*sides)
    return value, time.perf_counter() - begin
