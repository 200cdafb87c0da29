"""Gated convolution: a learnt, soft mask for every feature at every place (DeepFill v2; papers 001 and 003)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

GAIN = 2.0  # of initial weights: half of a signal's power stays behind the ELU, three quarters behind the gate
ADDED = 0.5  # of what is added to a sum: many blocks leave its power as it is


class GatedConv2d(nn.Module):
    """ELU(a) * sigmoid(b), or a * sigmoid(b), of one convolution that makes a and b.

    Odd kernels keep the size; a kernel of 4 with stride 2 halves it. Weights begin such that a signal keeps its power
    through many layers (without normalisation torch's own beginning lets it fade to nothing).
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int = 1, dilation: int = 1, *, linear: bool = False
    ) -> None:
        super().__init__()
        padding = (kernel - 1) // 2 * dilation
        self.conv = nn.Conv2d(inputs, 2 * outputs, kernel, stride, padding, dilation)
        self.linear = linear
        fan_in = self.conv.weight[0].numel()
        nn.init.normal_(self.conv.weight, std=(ADDED if linear else GAIN) * fan_in**-0.5)
        nn.init.zeros_(self.conv.bias)  # type: ignore[arg-type]

    def forward(self, x_BCHW: Tensor) -> Tensor:
        feature_BCHW, gate_BCHW = self.conv(x_BCHW).chunk(2, 1)
        return (feature_BCHW if self.linear else F.elu(feature_BCHW)) * torch.sigmoid(gate_BCHW)


class GatedUp2d(nn.Module):
    """Nearest neighbour, then a gated 3x3 convolution (DeepFill's transposed one, without its checkerboard)."""

    def __init__(self, inputs: int, outputs: int, times: int = 2) -> None:
        super().__init__()
        self.conv, self.times = GatedConv2d(inputs, outputs, 3), times

    def forward(self, x_BCHW: Tensor, side: int | None = None) -> Tensor:
        """`times` as large, or side x side (what an odd map was before it was halved)."""
        return self.conv(F.interpolate(x_BCHW, size=side or self.times * x_BCHW.shape[-1]))


class GatedResidual(nn.Module):
    """x plus two gated convolutions of it, the first dilated, the second without ELU, whose floor sums would hit."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            GatedConv2d(channels, channels, 3, dilation=dilation), GatedConv2d(channels, channels, 3, linear=True)
        )

    def forward(self, x_BCHW: Tensor) -> Tensor:
        return x_BCHW + self.layers(x_BCHW)
