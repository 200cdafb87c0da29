"""Soft permutation: channels mixed by a fixed orthogonal matrix (paper 003, Sec. 3.2)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class SoftPermutation(nn.Module):
    """z = W x at every position, W drawn once, uniformly over orthogonal matrices; it keeps volume, its inverse is W'.

    W is a buffer in float64, whatever the network's precision: it is saved, and orthogonal to the last digit in every
    precision that it is cast to.
    """

    weight_CC: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        q_CC, r_CC = torch.linalg.qr(torch.randn(channels, channels, dtype=torch.float64))
        self.register_buffer("weight_CC", q_CC * r_CC.diagonal().sign())  # the signs make the draw uniform

    def forward(self, x_BCHW: Tensor, condition: Tensor | None = None) -> tuple[Tensor, Tensor]:
        return mixed(x_BCHW, self.matrix(x_BCHW)), x_BCHW.new_zeros(len(x_BCHW))

    def inverse(self, z_BCHW: Tensor, condition: Tensor | None = None) -> Tensor:
        """x of which forward makes z."""
        return mixed(z_BCHW, self.matrix(z_BCHW).T)

    def matrix(self, like: Tensor) -> Tensor:
        """W in the precision of a tensor."""
        return self.weight_CC.to(like.dtype)


def mixed(x_BCHW: Tensor, matrix_OC: Tensor, bias_O: Tensor | None = None) -> Tensor:
    """matrix x + bias at every position, in x's own precision also where convolutions run in a lower one."""
    kernel_OC11 = matrix_OC[:, :, None, None]
    if not torch.amp.is_autocast_available(x_BCHW.device.type):  # meta: nothing is computed, nothing is cast
        return F.conv2d(x_BCHW, kernel_OC11, bias_O)
    with torch.autocast(x_BCHW.device.type, enabled=False):
        return F.conv2d(x_BCHW, kernel_OC11, bias_O)
