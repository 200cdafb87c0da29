"""Glow's invertible 1x1 convolution: channels mixed by a learnt matrix, beside which paper 003 sets its fixed one."""

from __future__ import annotations

import torch
from torch import nn

from stages.nets.permutation import Mixing, orthogonal


class LearnedPermutation(Mixing):
    """z = W x at every position; W begins orthogonal, drawn uniformly, and may become anything that has an inverse."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight_CC = nn.Parameter(orthogonal(channels).to(torch.get_default_dtype()))
