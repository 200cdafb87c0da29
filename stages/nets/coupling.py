"""Conditional affine layers of a flow: coupling and injector (paper 003, eq. 5-6), in SRFlow's shape.

Both are called as `forward(x, condition) -> (z, logdet_B)` and `inverse(z, condition) -> x`. The condition is a feature
map that enters through its own convolution outside (`glow.Level` makes those of all its steps at once): a convolution
of [x, ft] is the sum of one of x and one of ft, and the second is the same for all samples of an image. It may hence
have fewer rows than x: each then serves as many consecutive rows of x.
"""

from __future__ import annotations

from math import pi

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def soft_clamp(raw: Tensor, clamp: float) -> Tensor:
    """Smoothly within (-clamp, clamp), slope 1 at 0 (cINN's arctangent): exp of it can neither overflow nor vanish."""
    reach = 2 / pi * clamp
    return reach * torch.atan(raw / reach)


def spread(condition_BCHW: Tensor, x_RCHW: Tensor) -> Tensor:
    """The condition with as many rows as x, each repeated for its consecutive rows."""
    times = len(x_RCHW) // len(condition_BCHW)
    return condition_BCHW if times == 1 else condition_BCHW.repeat_interleave(times, 0)


def affine(raw_BCHW: Tensor, clamp: float, precision: torch.dtype) -> tuple[Tensor, Tensor]:
    """(log_scale, shift) in the flow's precision, whatever that of the convolutions."""
    log_scale_BCHW, shift_BCHW = raw_BCHW.to(precision).chunk(2, 1)
    return soft_clamp(log_scale_BCHW, clamp), shift_BCHW


class ZeroConv2d(nn.Module):
    """A 3x3 convolution that begins as zero, with a learnt gain a channel (Glow): new layers start as the identity."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, padding=1)
        nn.init.zeros_(self.conv.weight)
        nn.init.zeros_(self.conv.bias)  # type: ignore[arg-type]
        self.log_gain_O = nn.Parameter(torch.zeros(outputs))

    def forward(self, x_BCHW: Tensor) -> Tensor:
        return self.conv(x_BCHW) * (3 * self.log_gain_O).exp().view(1, -1, 1, 1)  # 3: Glow's, for a quicker gain


class Head(nn.Module):
    """The rest of an affine layer's network after its first convolution."""

    def __init__(self, hidden: int, outputs: int) -> None:
        super().__init__()
        self.middle = nn.Conv2d(hidden, hidden, 1)
        self.leave = ZeroConv2d(hidden, outputs)

    def forward(self, first_BCHW: Tensor) -> Tensor:
        return self.leave(F.relu(self.middle(F.relu(first_BCHW))))


class Coupling(nn.Module):
    """Equation 5: the second half of the channels scaled and shifted by what the first half and the condition say."""

    def __init__(self, channels: int, hidden: int, clamp: float) -> None:
        super().__init__()
        self.halves = (channels // 2, channels - channels // 2)
        self.enter = nn.Conv2d(self.halves[0], hidden, 3, padding=1)
        self.head = Head(hidden, 2 * self.halves[1])
        self.clamp = clamp

    def forward(self, x_BCHW: Tensor, condition_BCHW: Tensor) -> tuple[Tensor, Tensor]:
        kept_BCHW, moved_BCHW = x_BCHW.split(self.halves, 1)
        log_scale_BCHW, shift_BCHW = self._affine(kept_BCHW, condition_BCHW)
        moved_BCHW = torch.addcmul(shift_BCHW, log_scale_BCHW.exp(), moved_BCHW)
        return torch.cat([kept_BCHW, moved_BCHW], 1), log_scale_BCHW.sum((1, 2, 3))

    def inverse(self, z_BCHW: Tensor, condition_BCHW: Tensor) -> Tensor:
        """x of which forward makes z."""
        kept_BCHW, moved_BCHW = z_BCHW.split(self.halves, 1)
        log_scale_BCHW, shift_BCHW = self._affine(kept_BCHW, condition_BCHW)
        return torch.cat([kept_BCHW, (moved_BCHW - shift_BCHW) * (-log_scale_BCHW).exp()], 1)

    def _affine(self, kept_BCHW: Tensor, condition_BCHW: Tensor) -> tuple[Tensor, Tensor]:
        first_BCHW = self.enter(kept_BCHW) + spread(condition_BCHW, kept_BCHW)
        return affine(self.head(first_BCHW), self.clamp, kept_BCHW.dtype)


class Injector(nn.Module):
    """Equation 6: all channels scaled and shifted by what the condition says.

    Beside its network stands a linear path (ours): where x is known, its best shift is linear in the condition.
    """

    def __init__(self, channels: int, hidden: int, clamp: float) -> None:
        super().__init__()
        self.head = Head(hidden, 2 * channels)
        self.straight = nn.Conv2d(hidden, 2 * channels, 1)
        nn.init.zeros_(self.straight.weight)
        nn.init.zeros_(self.straight.bias)  # type: ignore[arg-type]
        self.clamp = clamp

    def forward(self, x_BCHW: Tensor, condition_BCHW: Tensor) -> tuple[Tensor, Tensor]:
        log_scale_BCHW, shift_BCHW = self._affine(x_BCHW, condition_BCHW)
        return torch.addcmul(shift_BCHW, log_scale_BCHW.exp(), x_BCHW), log_scale_BCHW.sum((1, 2, 3))

    def inverse(self, z_BCHW: Tensor, condition_BCHW: Tensor) -> Tensor:
        """x of which forward makes z."""
        log_scale_BCHW, shift_BCHW = self._affine(z_BCHW, condition_BCHW)
        return (z_BCHW - shift_BCHW) * (-log_scale_BCHW).exp()

    def _affine(self, x_BCHW: Tensor, condition_BCHW: Tensor) -> tuple[Tensor, Tensor]:
        raw_BCHW = self.head(condition_BCHW) + self.straight(condition_BCHW)
        log_scale_BCHW, shift_BCHW = affine(raw_BCHW, self.clamp, x_BCHW.dtype)
        return spread(log_scale_BCHW, x_BCHW), spread(shift_BCHW, x_BCHW)
