"""Frechet distance of two Gaussians fitted to features (Dowson & Landau 1982), by exact and fast routes in float64.

    d = |m1 - m2|^2 + tr S1 + tr S2 - 2 tr (S1 S2)^(1/2)

With S1 = A'A and S2 = B'B the last trace is the nuclear norm of A B': through Cholesky's factors where there are more
samples than dimensions, through the samples themselves (an n x n matrix) where there are fewer.
numpy, because its product of a matrix with its own transpose does half the work.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stages.metrics.core.contract import MetricContext
from stages.metrics.core.set_metric import ImageFeatures, SubsetComparison

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Gaussian:
    """Mean and a root of the covariance: S = root' root. root is (n, d) centred samples or a (d, d) factor."""

    mean_D: Floats
    root_RD: Floats

    @property
    def trace(self) -> float:
        """tr S."""
        return float(np.square(self.root_RD).sum())


def fit(features_ND: Tensor) -> Gaussian:
    """Features (n, d) -> statistics; the covariance is the unbiased one."""
    values_ND = features_ND.to(torch.float64, copy=True).numpy()
    count, width = values_ND.shape
    mean_D = values_ND.mean(axis=0)
    values_ND -= mean_D  # in place: of many images a second copy is what would take the memory
    values_ND /= (count - 1) ** 0.5
    return Gaussian(mean_D, values_ND if count <= width else factor(values_ND.T @ values_ND))


def factor(covariance_DD: Floats) -> Floats:
    """A factor R with S = R'R; by eigenvectors where S is singular (a feature that never fires)."""
    try:
        return np.asarray(np.linalg.cholesky(covariance_DD).T, dtype=np.float64)
    except np.linalg.LinAlgError:
        values_D, vectors_DD = np.linalg.eigh(covariance_DD)
        return np.asarray(np.sqrt(values_D.clip(0.0))[:, None] * vectors_DD.T, dtype=np.float64)


def frechet(one: Gaussian, other: Gaussian) -> float:
    """Statistics -> number, never below 0."""
    product_RR = one.root_RD @ other.root_RD.T
    if product_RR.shape[0] > product_RR.shape[1]:
        product_RR = product_RR.T
    eigenvalues_R = np.linalg.eigvalsh(product_RR @ product_RR.T)  # squared singular values of A B'
    nuclear = float(np.sqrt(eigenvalues_R.clip(0.0)).sum())
    offset = float(np.square(one.mean_D - other.mean_D).sum())
    return max(0.0, offset + one.trace + other.trace - 2.0 * nuclear)


def frechet_distance(name: str, network: str, context: MetricContext) -> SubsetComparison[Gaussian]:
    """The distance on a network's features, under its own name."""
    return SubsetComparison(
        ImageFeatures(network, context), fit, lambda real, fake_ND: {name: frechet(real, fit(fake_ND))}
    )
