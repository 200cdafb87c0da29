"""Glow's invertible 1x1 convolution: channels mixed by a learnt matrix, beside which paper 003 sets its fixed one."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from stages.nets.permutation import Mixing, orthogonal


class LearnedPermutation(Mixing):
    """z = W x at every position; W begins orthogonal, drawn uniformly, and may become anything that has an inverse."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight_CC = nn.Parameter(orthogonal(channels).to(torch.get_default_dtype()))

    def matrix(self, like: Tensor) -> Tensor:
        return self.weight_CC.to(like.dtype)

    def undoing(self, like: Tensor) -> Tensor:
        """W's inverse, taken in float64, in the precision of a tensor."""
        return torch.linalg.inv(self.weight_CC.double()).to(like.dtype)

    def logdet(self, x_BCHW: Tensor) -> Tensor:
        return (torch.linalg.slogdet(self.weight_CC)[1] * x_BCHW[0, 0].numel()).expand(len(x_BCHW))
