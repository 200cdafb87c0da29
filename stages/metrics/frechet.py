"""Frechet distance of two Gaussians fitted to features (Dowson & Landau 1982), by exact and fast routes in float64.

    d = |m1 - m2|^2 + tr S1 + tr S2 - 2 tr (S1 S2)^(1/2)

With S1 = A'A and S2 = B'B the last trace is the nuclear norm of A B': through A's factor of d columns where there are
more samples than dimensions, through the samples themselves (an n x n matrix) where there are fewer.
"""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Gaussian:
    """Mean and a root of the covariance: S = root' root. root is (n, d) centred samples or a (d, d) factor."""

    mean_D: Tensor
    root_RD: Tensor

    @property
    def trace(self) -> Tensor:
        """tr S."""
        return self.root_RD.square().sum()


def fit(features_ND: Tensor) -> Gaussian:
    """Features (n, d) -> statistics; the covariance is the unbiased one."""
    features_ND = features_ND.double()
    count, width = features_ND.shape
    mean_D = features_ND.mean(dim=0)
    centred_ND = (features_ND - mean_D) / (count - 1) ** 0.5
    return Gaussian(mean_D, centred_ND if count <= width else factor(centred_ND.T @ centred_ND))


def factor(covariance_DD: Tensor) -> Tensor:
    """An upper factor R with S = R'R; by eigenvectors where S is singular (a feature that never fires)."""
    lower_DD, failed = torch.linalg.cholesky_ex(covariance_DD)
    if not failed:
        return lower_DD.T
    values_D, vectors_DD = torch.linalg.eigh(covariance_DD)
    return values_D.clamp_min(0.0).sqrt()[:, None] * vectors_DD.T


def frechet(one: Gaussian, other: Gaussian) -> float:
    """Statistics -> number, never below 0."""
    product_RR = one.root_RD @ other.root_RD.T
    if product_RR.shape[0] > product_RR.shape[1]:
        product_RR = product_RR.T
    eigenvalues_R = torch.linalg.eigvalsh(product_RR @ product_RR.T)  # squared singular values of A B'
    nuclear = eigenvalues_R.clamp_min(0.0).sqrt().sum()
    offset = (one.mean_D - other.mean_D).square().sum()
    return max(0.0, float(offset + one.trace + other.trace - 2.0 * nuclear))
