"""Gated convolution: a learnt, soft mask for every feature at every place (DeepFill v2; papers 001 and 003)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class GatedConv2d(nn.Module):
    """ELU(a) * sigmoid(b) of one convolution that makes both; odd kernels keep the size, even ones of stride 2 halve it."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, dilation: int = 1) -> None:
        super().__init__()
        padding = (kernel - 1) // 2 * dilation
        self.conv = nn.Conv2d(inputs, 2 * outputs, kernel, stride, padding, dilation)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        feature_BCHW, gate_BCHW = self.conv(x_BCHW).chunk(2, 1)
        return F.elu(feature_BCHW) * torch.sigmoid(gate_BCHW)


class GatedUp2d(nn.Module):
    """Nearest neighbour x2, then a gated 3x3 convolution."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = GatedConv2d(inputs, outputs, 3)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        return self.conv(F.interpolate(x_BCHW, scale_factor=2.0))


class GatedResidual(nn.Module):
    """x + conv(gated(x)): a dilated gated convolution, then one without a gate, so that the sum is not bounded below."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.gated = GatedConv2d(channels, channels, 3, dilation=dilation)
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        return x_BCHW + self.conv(self.gated(x_BCHW))
