"""Soft permutation: channels mixed by a fixed orthogonal matrix (paper 003, Sec. 3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Mixing(nn.Module):
    """z = W x at every position, W any matrix that has an inverse; with its log |det|, as every layer of a flow."""

    weight_CC: Tensor

    def forward(self, x_BCHW: Tensor, condition: Tensor | None = None) -> tuple[Tensor, Tensor]:
        return mixed(x_BCHW, self.matrix(x_BCHW)), self.logdet(x_BCHW)

    def inverse(self, z_BCHW: Tensor, condition: Tensor | None = None) -> Tensor:
        """x of which forward makes z."""
        return mixed(z_BCHW, self.undoing(z_BCHW))

    def matrix(self, like: Tensor) -> Tensor:
        """W in the precision of a tensor."""
        return self.weight_CC.to(like.dtype)

    def undoing(self, like: Tensor) -> Tensor:
        """W's inverse, taken in float64, in the precision of a tensor."""
        return torch.linalg.inv(self.weight_CC.double()).to(like.dtype)

    def logdet(self, x_BCHW: Tensor) -> Tensor:
        """log |det| of the Jacobian, (B,)."""
        return (torch.linalg.slogdet(self.weight_CC)[1] * x_BCHW[0, 0].numel()).expand(len(x_BCHW))


class SoftPermutation(Mixing):
    """W drawn once, uniformly over orthogonal matrices; it keeps volume, its inverse is W'.

    W is a buffer in float64, whatever the network's precision: it is saved, and orthogonal to the last digit in every
    precision that it is cast to.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("weight_CC", orthogonal(channels))

    def undoing(self, like: Tensor) -> Tensor:
        """W'."""
        return self.matrix(like).T

    def logdet(self, x_BCHW: Tensor) -> Tensor:
        """0 an image, (B,)."""
        return x_BCHW.new_zeros(len(x_BCHW))


def orthogonal(channels: int) -> Tensor:
    """A draw that is uniform over orthogonal matrices, in float64."""
    q_CC, r_CC = torch.linalg.qr(torch.randn(channels, channels, dtype=torch.float64))
    return q_CC * r_CC.diagonal().sign()  # without the signs it is not uniform


def begin_with(first_CC: Tensor, permutations: Sequence[SoftPermutation]) -> None:
    """The first W becomes `first_CC`, and the last one undoes all between: they end in the axes of the first."""
    first, *between = [permutation.weight_CC for permutation in permutations]
    first.copy_(first_CC)
    if between:
        *between, last = between
        last.copy_(reduce(lambda product_CC, w_CC: w_CC @ product_CC, between, torch.eye(len(last)).to(last)).T)


def mixed(x_BCHW: Tensor, matrix_OC: Tensor, bias_O: Tensor | None = None) -> Tensor:
    """matrix x + bias at every position, in x's own precision also where convolutions run in a lower one."""
    kernel_OC11 = matrix_OC[:, :, None, None]
    if not torch.amp.is_autocast_available(x_BCHW.device.type):  # meta: nothing is computed, nothing is cast
        return F.conv2d(x_BCHW, kernel_OC11, bias_O)
    with torch.autocast(x_BCHW.device.type, enabled=False):
        return F.conv2d(x_BCHW, kernel_OC11, bias_O)
