"""Normalisation of features whose statistics come from known positions alone."""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Kind = Literal["layer", "group"]
EPS = 1e-6


@dataclass(frozen=True)
class Normalisation:
    """Layer (one group: all channels and positions of an image) or group (32, or what divides) normalisation.

    Not `masked`, it and the attention beside it look at hidden positions too (as released).
    """

    kind: Kind
    masked: bool = True


class MaskedNorm(nn.Module):
    """Mean and variance are those of an image's known positions, and hidden ones become 0; None: all are known."""

    def __init__(self, channels: int, rule: Normalisation) -> None:
        super().__init__()
        self.masked = rule.masked
        self.groups = 1 if rule.kind == "layer" else gcd(32, channels)
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x_BCHW: Tensor, known_B1HW: Tensor | None) -> Tensor:
        if known_B1HW is None or not self.masked:
            return F.group_norm(x_BCHW, self.groups, self.weight, self.bias, EPS)
        mean_BG, rstd_BG = _statistics(x_BCHW, known_B1HW, self.groups)
        gain_BC = rstd_BG[:, :, None] * self.weight.view(self.groups, -1)
        shift_BC = self.bias.view(self.groups, -1) - mean_BG[:, :, None] * gain_BC
        normal_BCHW = torch.addcmul(_map(shift_BC, x_BCHW), x_BCHW, _map(gain_BC, x_BCHW))
        # hidden positions have no say in the statistics: where few are known, they would grow a thousandfold a layer
        return normal_BCHW.masked_fill(known_B1HW == 0, 0.0)


def _statistics(x_BCHW: Tensor, known_B1HW: Tensor, groups: int) -> tuple[Tensor, Tensor]:
    """Mean and 1 / standard deviation of each group over known positions, (B, G) in float32."""
    batch, channels = x_BCHW.shape[:2]
    seen_BCHW = x_BCHW * known_B1HW.to(x_BCHW.dtype)
    count_B1 = known_B1HW.float().sum((2, 3)).clamp(min=1) * (channels // groups)
    total_BG = seen_BCHW.sum((2, 3), dtype=torch.float32).view(batch, groups, -1).sum(-1)
    square_BG = (seen_BCHW * x_BCHW).sum((2, 3), dtype=torch.float32).view(batch, groups, -1).sum(-1)
    mean_BG = total_BG / count_B1
    variance_BG = (square_BG / count_B1 - mean_BG.square()).clamp(min=0)
    return mean_BG, torch.rsqrt(variance_BG + EPS)


def _map(value_BGc: Tensor, like_BCHW: Tensor) -> Tensor:
    """One value a channel, shaped and typed to meet the features."""
    return value_BGc.reshape(like_BCHW.shape[0], -1, 1, 1).to(like_BCHW.dtype)
