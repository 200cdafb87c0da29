"""Layers of equalised learning rate: unit normal weights, scaled by their fan-in when they are used (Karras 2018)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

GAIN = 2.0**0.5  # before a leaky ReLU, which is as good as behind it: keeps a signal's power
SLOPE = 0.2


def leaky(x: Tensor) -> Tensor:
    """The leaky ReLU, without the gain, which goes into the layer before it."""
    return F.leaky_relu(x, SLOPE)


class EqualisedLinear(nn.Module):
    """`gain` times a linear layer whose weights and bias learn at `rate` times the optimiser's rate."""

    def __init__(self, inputs: int, outputs: int, *, bias: float = 0.0, rate: float = 1.0, gain: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / rate)
        self.bias = nn.Parameter(torch.full((outputs,), bias / rate))
        self.scale, self.rate = gain * rate * inputs**-0.5, gain * rate

    def forward(self, x_BC: Tensor) -> Tensor:
        return F.linear(x_BC, self.weight * self.scale, self.bias * self.rate)


class EqualisedConv2d(nn.Module):
    """`gain` times a convolution of odd kernel that keeps the size; `stride` 2: unpadded, of a map padded before."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, *, stride: int = 1, bias: bool = True, gain: float = 1.0
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self.scale, self.gain = gain * self.weight[0].numel() ** -0.5, gain
        self.stride, self.padding = stride, kernel // 2 if stride == 1 else 0

    def forward(self, x_BCHW: Tensor) -> Tensor:
        bias = None if self.bias is None else self.bias * self.gain
        return F.conv2d(x_BCHW, self.weight * self.scale, bias, self.stride, self.padding)
