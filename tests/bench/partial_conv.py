"""Partial and restrictive convolution: ours against a convolution that counts the mask over all channels.

At a batch's size and in the memory format that training uses (channels last), both alike.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stages.nets.partial_conv import PartialConv2d, PlainConv2d, RestrictiveConv2d
from tests.bench.turns import race

CHANNELS, SIDE, BATCH = 64, 32, 16


class MaskConvolution(nn.Module):
    """The usual way: a mask of every channel, counted by a convolution with ones, and a bias taken out and put back."""

    def __init__(self, channels: int, alpha: float | None) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)
        self.alpha = alpha
        self.register_buffer("ones", torch.ones(channels, channels, 3, 3))

    def forward(self, x_BCHW: Tensor, known_B1HW: Tensor) -> Tensor:
        known_BCHW = known_B1HW.expand_as(x_BCHW).contiguous()
        with torch.no_grad():
            seen_BCHW = F.conv2d(known_BCHW, self.ones, padding=1)
            full = self.ones[0].numel()
            live_BCHW = (seen_BCHW > 0 if self.alpha is None else seen_BCHW >= self.alpha * full).float()
            scale_BCHW = full / (seen_BCHW + 1e-8) * live_BCHW
        bias_1C11 = self.conv.bias.view(1, -1, 1, 1)
        return ((self.conv(x_BCHW * known_BCHW) - bias_1C11) * scale_BCHW + bias_1C11) * live_BCHW


def rows(rounds: int = 15) -> list[tuple[str, float, float]]:
    """(name, peer's seconds, our seconds) of a forward and backward pass, in turn, the median of rounds.

    The last row has an ordinary convolution as its peer: what the mask costs.
    """
    torch.manual_seed(0)
    x_BCHW = _features().requires_grad_()
    known_B1HW = (torch.rand(BATCH, 1, SIDE, SIDE) > 0.5).float()
    partial, plain = PartialConv2d(CHANNELS, CHANNELS, 3), PlainConv2d(CHANNELS, CHANNELS, 3)
    restrictive = RestrictiveConv2d(CHANNELS, CHANNELS, 3, alpha=0.5)
    pairs: list[tuple[str, nn.Module, nn.Module]] = [
        ("partial convolution", MaskConvolution(CHANNELS, None), partial),
        ("restrictive convolution", MaskConvolution(CHANNELS, 0.5), restrictive),
        ("partial convolution against an ordinary one", plain, partial),
    ]
    return [
        (name, *race(_pass(peer, x_BCHW, known_B1HW), _pass(ours, x_BCHW, known_B1HW), rounds, warm_up=2))
        for name, peer, ours in pairs
    ]


def _features() -> Tensor:
    return torch.randn(BATCH, CHANNELS, SIDE, SIDE).to(memory_format=torch.channels_last)


def _pass(layer: nn.Module, x_BCHW: Tensor, known_B1HW: Tensor) -> Callable[[], None]:
    slope_BCHW = _features()
    layer.to(memory_format=torch.channels_last)

    def run() -> None:
        result = layer(x_BCHW, known_B1HW)
        y_BCHW = result[0] if isinstance(result, tuple) else result
        torch.autograd.grad(y_BCHW, [x_BCHW, *layer.parameters()], slope_BCHW)

    return run
