"""Kernel distance (Binkowski et al. 2018): unbiased squared MMD of features under k(x, y) = (x.y / d + 1)^3.

Unbiased at any n, so that it may be compared across n; cost is linear in n, by blocks of images.
"""

import numpy as np
import torch
from torch import Tensor

from stages.metrics.core.contract import MetricContext
from stages.metrics.core.set_metric import ImageFeatures, SubsetComparison

LEAST = 100  # images that a kernel distance is told of
BLOCK = 1000  # images at most; more are cut into blocks at random (seed 0), and these averaged


def mmd(x_ND: Tensor, y_ND: Tensor) -> float:
    """Unbiased squared MMD of two sets of equal size (their eq. 4; without the pairs (i, i) of one set)."""
    count = len(x_ND)
    within = sum(float(k_NN.sum() - k_NN.diagonal().sum()) for k_NN in (kernel(x_ND, x_ND), kernel(y_ND, y_ND)))
    return within / (count * (count - 1)) - 2.0 * float(kernel(x_ND, y_ND).mean())


def kernel(x_ND: Tensor, y_MD: Tensor) -> Tensor:
    """The cubic kernel in float64, (N, M)."""
    return (x_ND.double() @ y_MD.double().T / x_ND.shape[1] + 1.0) ** 3


def in_blocks(x_ND: Tensor, y_ND: Tensor) -> float:
    """The mean over blocks of nearly equal size."""
    order_N = torch.from_numpy(np.random.default_rng(0).permutation(len(x_ND)))
    blocks = order_N.tensor_split(-(-len(x_ND) // BLOCK))
    return float(np.mean([mmd(x_ND[block_M], y_ND[block_M]) for block_M in blocks]))


def kernel_distance(name: str, network: str, context: MetricContext) -> SubsetComparison[Tensor]:
    """The distance on a network's features, under its own name."""
    return SubsetComparison(
        ImageFeatures(network, context),
        lambda real_ND: real_ND,
        lambda real_ND, fake_ND: {name: in_blocks(real_ND, fake_ND)},
    )
