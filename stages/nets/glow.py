"""Conditional Glow: levels of squeeze, flow steps and split; exact likelihood one way, samples the other.

Axes: R rows, B conditions' rows (R is a multiple of B, see `coupling`). Paper 003, Sec. 3.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log, pi
from typing import Literal, cast

import torch
from torch import Tensor, nn

from stages.nets.actnorm import ActNorm
from stages.nets.coupling import Coupling, Injector
from stages.nets.haar import haar
from stages.nets.learned_permutation import LearnedPermutation
from stages.nets.permutation import SoftPermutation, begin_with, mixed
from stages.nets.split import Split
from stages.nets.squeeze import Squeeze

Permutation = Literal["fixed", "haar", "learned"]


@dataclass(frozen=True)
class FlowShape:
    """Sizes of a conditional Glow: L levels of K steps on `channels` channels of input.

    `condition` channels come in at every level, through a kernel x kernel convolution to `hidden` ones a layer. W is
    fixed and drawn at random (`fixed`); fixed, but such that a level begins and ends with Haar bands, the first one of
    opponent colours (`haar`); or learnt as Glow's (`learned`). Without `injector` a step has eq. 5 alone.
    """

    channels: int
    levels: int
    steps: int
    hidden: int
    condition: int
    kernel: int
    clamp: float
    permutation: Permutation = "fixed"
    injector: bool = True

    @property
    def layers(self) -> int:
        """Conditional affine layers of a step."""
        return 2 if self.injector else 1

    def at(self, level: int) -> int:
        """Channels of a level after its squeeze, the finest being 0: half of every level's go on."""
        return self.channels * 4 * 2**level

    def latents(self, size: int) -> list[tuple[int, int, int]]:
        """(C, H, W) of each level's latents for input of size x size, the finest first."""
        last = self.levels - 1
        sides = [size // 2 ** (level + 1) for level in range(self.levels)]
        return [(self.at(n) // (1 if n == last else 2), side, side) for n, side in enumerate(sides)]


class FlowStep(nn.Module):
    """ActNorm, soft permutation, conditional affine (coupling, then injector: eq. 5, 6).

    ActNorm and permutation are both affine in the channels: they are run as one product, in both directions. The
    condition has `hidden` channels a conditional layer.
    """

    def __init__(self, channels: int, shape: FlowShape) -> None:
        super().__init__()
        self.norm = ActNorm(channels)
        self.permutation = LearnedPermutation(channels) if shape.permutation == "learned" else SoftPermutation(channels)
        self.coupling = Coupling(channels, shape.hidden, shape.clamp)
        self.injector = Injector(channels, shape.hidden, shape.clamp) if shape.injector else None

    @property
    def affine(self) -> tuple[Coupling | Injector, ...]:
        """Its conditional layers in turn."""
        return (self.coupling,) if self.injector is None else (self.coupling, self.injector)

    def forward(self, x_RCHW: Tensor, condition_BCHW: Tensor) -> tuple[Tensor, Tensor]:
        self.norm.meet(x_RCHW)
        logdet_R = self.norm.logdet(x_RCHW) + self.permutation.logdet(x_RCHW)
        matrix_CC = self.permutation.matrix(x_RCHW) * self.norm.log_scale_C.exp()
        z_RCHW = mixed(x_RCHW, matrix_CC, (matrix_CC * self.norm.shift_C).sum(1))
        for layer, own_BCHW in zip(self.affine, condition_BCHW.chunk(len(self.affine), 1), strict=True):
            z_RCHW, more_R = layer(z_RCHW, own_BCHW)
            logdet_R = logdet_R + more_R
        return z_RCHW, logdet_R

    def inverse(self, z_RCHW: Tensor, condition_BCHW: Tensor) -> Tensor:
        """x of which forward makes z."""
        conditions = condition_BCHW.chunk(len(self.affine), 1)
        for layer, own_BCHW in zip(reversed(self.affine), reversed(conditions), strict=True):
            z_RCHW = layer.inverse(z_RCHW, own_BCHW)
        matrix_CC = (-self.norm.log_scale_C).exp()[:, None] * self.permutation.undoing(z_RCHW)
        return mixed(z_RCHW, matrix_CC, -self.norm.shift_C)


class Level(nn.Module):
    """Squeeze, then K flow steps, whose convolutions of the condition are made as one."""

    def __init__(self, shape: FlowShape, level: int) -> None:
        super().__init__()
        self.squeeze = Squeeze()
        taps = shape.steps * shape.layers * shape.hidden
        self.taps = nn.Conv2d(shape.condition, taps, shape.kernel, padding=shape.kernel // 2)
        steps = [FlowStep(shape.at(level), shape) for _ in range(shape.steps)]
        self.steps = nn.ModuleList(steps)
        if shape.permutation == "haar":
            bands_CC = haar(shape.at(level) // 4, opponents=level == 0)
            begin_with(bands_CC, [cast(SoftPermutation, step.permutation) for step in steps])

    def forward(self, x_RCHW: Tensor, condition_BCHW: Tensor) -> tuple[Tensor, Tensor]:
        x_RCHW, logdet_R = self.squeeze(x_RCHW)
        for step, tap_BCHW in zip(self.steps, self._taps(condition_BCHW), strict=True):
            x_RCHW, more_R = step(x_RCHW, tap_BCHW)
            logdet_R = logdet_R + more_R
        return x_RCHW, logdet_R

    def inverse(self, z_RCHW: Tensor, condition_BCHW: Tensor) -> Tensor:
        """x of which forward makes z."""
        taps = self._taps(condition_BCHW)
        for step, tap_BCHW in zip(reversed(self.steps), reversed(taps), strict=True):
            z_RCHW = cast(FlowStep, step).inverse(z_RCHW, tap_BCHW)
        return self.squeeze.inverse(z_RCHW)

    def _taps(self, condition_BCHW: Tensor) -> tuple[Tensor, ...]:
        return self.taps(condition_BCHW).chunk(len(self.steps), 1)


class ConditionalGlow(nn.Module):
    """x and a condition a level <-> standard normal latents a level, the finest first; the last level has no split."""

    def __init__(self, shape: FlowShape) -> None:
        super().__init__()
        self.levels = nn.ModuleList(Level(shape, level) for level in range(shape.levels))
        self.splits = nn.ModuleList(Split(shape.at(level), shape.clamp) for level in range(shape.levels - 1))

    def forward(self, x_RCHW: Tensor, conditions: Sequence[Tensor]) -> tuple[list[Tensor], Tensor]:
        """(latents, logdet_R)."""
        latents: list[Tensor] = []
        logdet_R = x_RCHW.new_zeros(len(x_RCHW))
        for level, condition_BCHW, split in zip(self.levels, conditions, [*self.splits, None], strict=True):
            x_RCHW, more_R = level(x_RCHW, condition_BCHW)
            logdet_R = logdet_R + more_R
            if split is not None:
                x_RCHW, z_RCHW, more_R = split(x_RCHW)
                logdet_R = logdet_R + more_R
                latents.append(z_RCHW)
        return [*latents, x_RCHW], logdet_R

    def inverse(self, latents: Sequence[Tensor], conditions: Sequence[Tensor]) -> Tensor:
        """x of which forward makes the latents."""
        *finer, x_RCHW = latents
        x_RCHW = self._level(-1).inverse(x_RCHW, conditions[-1])
        for n in reversed(range(len(finer))):
            x_RCHW = cast(Split, self.splits[n]).inverse(x_RCHW, finer[n])
            x_RCHW = self._level(n).inverse(x_RCHW, conditions[n])
        return x_RCHW

    def _level(self, n: int) -> Level:
        return cast(Level, self.levels[n])


def standard_normal(latents: Sequence[Tensor]) -> Tensor:
    """log N(z; 0, 1) over all latents in nats, (R,)."""
    per_level = [(z_RCHW.square() + log(2 * pi)).sum((1, 2, 3)) for z_RCHW in latents]
    return -0.5 * torch.stack(per_level).sum(0)
