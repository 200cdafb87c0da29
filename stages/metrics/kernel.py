"""Kernel distance (Binkowski et al. 2018): unbiased squared MMD of features under k(x, y) = (x.y / d + 1)^3.

Unbiased at any n, so that it may be compared across n; cost is linear in n, by blocks of images.
"""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from stages.metrics.collected import Collected
from stages.metrics.view import AbsentError, Axes, View

LEAST = 100  # images
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


class KernelDistance:
    """Collects features; the mean over the sets of one completion an image."""

    def __init__(self, label: str, network: str, axes: Axes) -> None:
        if axes.images < LEAST:
            raise AbsentError(f"{label} needs at least {LEAST} images, and here are {axes.images}")
        self.label, self.features = label, Collected(network, axes)

    def __call__(self, view: View) -> Mapping[str, Tensor]:
        self.features.see(view)
        return {}

    def whole(self, sets_SN: Tensor) -> Mapping[str, float]:
        """Each row of `sets` names one completion an image."""
        return self.among(torch.arange(sets_SN.shape[1]), sets_SN)

    def among(self, images_M: Tensor, sets_SN: Tensor) -> Mapping[str, float]:
        """The same on the images of these positions alone."""
        real_MD, fake_NKD = self.features.real_ND()[images_M], self.features.fake_NKD()
        values = [in_blocks(real_MD, fake_NKD[images_M, set_N[images_M]]) for set_N in sets_SN]
        return {self.label: sum(values) / len(values)}
