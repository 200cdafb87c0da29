"""The gated residual layer of PixelCNN++: what it adds is one half of its features times the gate of the other."""

from __future__ import annotations

from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stages.nets.causal_conv import concat_elu, normed

SMALL = 0.1  # of the last convolution's first weights: many layers begin near the identity (PixelCNN++)


class Conv(Protocol):
    """Makes a convolution that keeps the size, from inputs, outputs and a gain of its first weights."""

    def __call__(self, inputs: int, outputs: int, gain: float = 1.0, /) -> nn.Module: ...


class GatedResidual(nn.Module):
    """x + a sigmoid(b), where [a, b] = conv(concat_elu(conv(concat_elu(x)) + other stream)) + condition."""

    def __init__(self, channels: int, conv: Conv, *, beside: int = 0, condition: int = 0, dropout: float = 0.0) -> None:
        """`beside` and `condition` are the channels of another stream and of a condition; 0: there is none."""
        super().__init__()
        self.first, self.second = conv(2 * channels, channels), conv(2 * channels, 2 * channels, SMALL)
        self.beside = normed(2 * beside, channels) if beside else None
        self.condition = normed(2 * condition, 2 * channels, gain=SMALL) if condition else None
        self.dropout = dropout

    def forward(
        self, x_BCHW: Tensor, beside_BCHW: Tensor | None = None, condition_BCHW: Tensor | None = None
    ) -> Tensor:
        """The condition comes as `concat_elu` made it, once for all layers."""
        inner_BCHW = self.first(concat_elu(x_BCHW))
        if self.beside is not None and beside_BCHW is not None:
            inner_BCHW = inner_BCHW + self.beside(concat_elu(beside_BCHW))
        gated_BCHW = self.second(F.dropout(concat_elu(inner_BCHW), self.dropout, self.training))
        if self.condition is not None and condition_BCHW is not None:
            gated_BCHW = gated_BCHW + self.condition(condition_BCHW)
        return x_BCHW + glu(gated_BCHW)


def glu(gated_BCHW: Tensor, axis: int = 1) -> Tensor:
    """a sigmoid(b) of [a, b]."""
    a, b = gated_BCHW.chunk(2, axis)
    return a * torch.sigmoid(b)
