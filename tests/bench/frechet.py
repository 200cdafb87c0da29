"""The Frechet distance from features: scipy's matrix square root against the routes of `metrics.frechet`."""

import time
from statistics import median

import numpy as np
import scipy.linalg
import torch

from stages.metrics.frechet import fit, frechet


def peer(x_ND: np.ndarray, y_ND: np.ndarray) -> float:
    """The definition as it is commonly computed."""
    one, other = np.cov(x_ND, rowvar=False), np.cov(y_ND, rowvar=False)
    root = scipy.linalg.sqrtm(one @ other).real
    return float(np.square(x_ND.mean(0) - y_ND.mean(0)).sum() + np.trace(one) + np.trace(other) - 2 * np.trace(root))


def ours(x_ND: np.ndarray, y_ND: np.ndarray) -> float:
    """Features -> statistics -> number."""
    return frechet(fit(torch.from_numpy(x_ND)), fit(torch.from_numpy(y_ND)))


def rows() -> list[tuple[str, float, float]]:
    """(name, peer's seconds, our seconds), in turn, the median of rounds."""
    return [_row(count, width, rounds) for count, width, rounds in ((2000, 256, 5), (1000, 2048, 1), (4000, 2048, 1))]


def _row(count: int, width: int, rounds: int) -> tuple[str, float, float]:
    rng = np.random.default_rng(0)
    mix_DD = rng.normal(size=(width, width)) / width**0.5
    x_ND, y_ND = (rng.normal(loc=shift, size=(count, width)) @ mix_DD for shift in (0.0, 0.1))
    peers, own = [], []
    for _ in range(rounds):
        own.append(_timed(ours, x_ND, y_ND))
        peers.append(_timed(peer, x_ND, y_ND))
        own.append(_timed(ours, x_ND, y_ND))
    values = [value for value, _ in (*peers, *own)]
    assert max(values) - min(values) < 1e-3 + 1e-6 * max(values), "peer and ours disagree"
    name = f"Frechet distance, n={count} d={width}: sqrtm / fast route"
    return name, median(seconds for _, seconds in peers), median(seconds for _, seconds in own)


def _timed(compute, x_ND: np.ndarray, y_ND: np.ndarray) -> tuple[float, float]:
    begin = time.perf_counter()
    value = compute(x_ND, y_ND)
    return value, time.perf_counter() - begin
