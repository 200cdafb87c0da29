"""Adaptive contextual bottlenecks (paper 002, Sec. 3.2.1, eq. 1) and the blocks that Table 8 sets beside them.

Axes: R dilation rates; g is the gate of a gated convolution, in (0, 1).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stages.methods.mm_invertfill.blocks.sizes import Sizes
from stages.nets.precision import full_precision


class AdaptiveBottleneck(nn.Module):
    """f_{t+1} = f_t + the rates' features f^r, each channel weighted by softmax_r(a_r) (eq. 1).

    f^r is a dilated convolution of ELU(f_t), so that what is added has no floor (ours); zeros pad it.
    """

    def __init__(self, channels: int, dilations: Sequence[int]) -> None:
        super().__init__()
        self.paths = nn.ModuleList(nn.Conv2d(channels, channels, 3, 1, rate, rate) for rate in dilations)
        self.judge = nn.Linear(2 * channels, channels)  # one for all rates and both pools, as CBAM's

    def weights(self, paths_BRCHW: Tensor, gate_BCHW: Tensor) -> Tensor:
        """softmax_r(a_r), a_r = sigmoid(FC(avg[f^r; g]) + FC(max[f^r; g])): (B, R, C) float32."""
        with full_precision(paths_BRCHW):
            average_BRX = _beside(paths_BRCHW.float().mean((3, 4)), gate_BCHW.float().mean((2, 3)))
            most_BRX = _beside(paths_BRCHW.amax((3, 4)).float(), gate_BCHW.amax((2, 3)).float())
            return torch.sigmoid(self.judge(average_BRX) + self.judge(most_BRX)).softmax(1)

    def forward(self, f_BCHW: Tensor, gate_BCHW: Tensor) -> Tensor:
        active_BCHW = F.elu(f_BCHW)
        paths_BRCHW = torch.stack([path(active_BCHW) for path in self.paths], 1)
        weight_BRC11 = self.weights(paths_BRCHW, gate_BCHW)[..., None, None].to(paths_BRCHW.dtype)
        return f_BCHW + (weight_BRC11 * paths_BRCHW).sum(1)


def _beside(path_BRC: Tensor, gate_BC: Tensor) -> Tensor:
    return torch.cat([path_BRC, gate_BC[:, None].expand_as(path_BRC)], 2)


class AdaptiveBottlenecks(nn.Module):
    """A stack of them. g_0 is the backbone's; between two blocks it is made anew: g_t = sigmoid(conv(f_t))."""

    def __init__(self, channels: int, count: int, dilations: Sequence[int]) -> None:
        super().__init__()
        self.first = AdaptiveBottleneck(channels, dilations)
        self.blocks = nn.ModuleList(AdaptiveBottleneck(channels, dilations) for _ in range(count - 1))
        self.gates = nn.ModuleList(nn.Conv2d(channels, channels, 3, padding=1) for _ in range(count - 1))

    def forward(self, f_BCHW: Tensor, gate_BCHW: Tensor) -> Tensor:
        f_BCHW = self.first(f_BCHW, gate_BCHW)
        for block, gate in zip(self.blocks, self.gates, strict=True):
            f_BCHW = block(f_BCHW, torch.sigmoid(gate(f_BCHW)))
        return f_BCHW


class ResidualBottleneck(nn.Module):
    """ResNet's block of two 3x3 convolutions, of `paths` copies of the features, summed (Table 8)."""

    def __init__(self, channels: int, paths: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, paths * channels, 3, padding=1)
        self.second = nn.Conv2d(paths * channels, channels, 3, padding=1)

    def forward(self, f_BCHW: Tensor) -> Tensor:
        return f_BCHW + self.second(F.elu(self.first(F.elu(f_BCHW))))


class AotBottleneck(nn.Module):
    """AOT's block: dilated paths of `width` times the channels together, merged; a gate mixes old and new."""

    def __init__(self, channels: int, dilations: Sequence[int], width: int) -> None:
        super().__init__()
        each = -(-width * channels // len(dilations))
        self.paths = nn.ModuleList(nn.Conv2d(channels, each, 3, 1, rate, rate) for rate in dilations)
        self.merge = nn.Conv2d(each * len(dilations), channels, 3, padding=1)
        self.gate = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, f_BCHW: Tensor) -> Tensor:
        new_BCHW = self.merge(torch.cat([F.relu(path(f_BCHW)) for path in self.paths], 1))
        return torch.lerp(f_BCHW, new_BCHW, torch.sigmoid(self.gate(f_BCHW)))


class Ungated(nn.Module):
    """A stack of blocks that look at no gate, called as the adaptive ones are."""

    def __init__(self, blocks: Sequence[nn.Module]) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*blocks)

    def forward(self, f_BCHW: Tensor, gate_BCHW: Tensor) -> Tensor:
        return self.blocks(f_BCHW)


def bottlenecks(sizes: Sizes, channels: int) -> nn.Module:
    """The stack that params name, called as `stack(f_BCHW, gate_BCHW) -> f_BCHW`."""
    count, width = sizes.bottlenecks, sizes.bottleneck_width
    if sizes.bottleneck == "acb":
        return AdaptiveBottlenecks(channels, count, sizes.dilations)
    if sizes.bottleneck == "residual":
        return Ungated([ResidualBottleneck(channels, width) for _ in range(count)])
    return Ungated([AotBottleneck(channels, sizes.dilations, width) for _ in range(count)])
