"""The truncated distance similarity that attention and feature losses share (paper 001, eq. 5)."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from stages.nets.precision import full_precision

Distance = Literal["euclidean", "squared"]
TINY = 1e-6  # under the root and beside a deviation: a vector's distance to itself has a finite gradient


def distances(x_BMD: Tensor, y_BND: Tensor, kind: Distance) -> Tensor:
    """d_BMN of every x to every y: Euclidean (the paper) or its square (as released); float32."""
    with full_precision(x_BMD):
        x_BMD, y_BND = x_BMD.float(), y_BND.float()
        square_BMN = x_BMD.square().sum(2)[:, :, None] + y_BND.square().sum(2)[:, None, :]
        square_BMN = torch.baddbmm(square_BMN, x_BMD, y_BND.transpose(1, 2), alpha=-2).clamp(min=0)
        return square_BMN if kind == "squared" else (square_BMN + TINY).sqrt()


def similarity(d_BMN: Tensor, chosen_B1N: Tensor | None = None) -> Tensor:
    """tanh(-(d - m) / sigma), m and sigma over the last axis, or over its chosen positions (bool) alone."""
    if chosen_B1N is None:
        deviation_BM1, mean_BM1 = torch.std_mean(d_BMN, 2, correction=0, keepdim=True)
    else:
        count_B11 = chosen_B1N.sum(2, keepdim=True).clamp(min=1)
        mean_BM1 = (d_BMN * chosen_B1N).sum(2, keepdim=True) / count_B11
        deviation_BM1 = (((d_BMN - mean_BM1).square() * chosen_B1N).sum(2, keepdim=True) / count_B11).sqrt()
    return torch.tanh((mean_BM1 - d_BMN) / (deviation_BM1 + TINY))
