"""Where a multi-scale flow lets go of half of its channels: Glow's split, with a Gaussian for what leaves."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from stages.nets.coupling import ZeroConv2d, soft_clamp


class Split(nn.Module):
    """x = [kept, leaving]: z = (leaving - mean(kept)) / deviation(kept), so that z is standard normal.

    That is the density N(leaving; mean, deviation) of Glow, written as a layer: every latent of the flow then has the
    same prior, and to draw it at a temperature or to replace it by noise is the same at every scale.
    """

    def __init__(self, channels: int, clamp: float) -> None:
        super().__init__()
        self.halves = (channels - channels // 2, channels // 2)
        self.prior = ZeroConv2d(self.halves[0], 2 * self.halves[1])
        self.clamp = clamp

    def forward(self, x_BCHW: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(kept, z, logdet_B)."""
        kept_BCHW, leaving_BCHW = x_BCHW.split(self.halves, 1)
        mean_BCHW, log_deviation_BCHW = self._gaussian(kept_BCHW)
        z_BCHW = (leaving_BCHW - mean_BCHW) * (-log_deviation_BCHW).exp()
        return kept_BCHW, z_BCHW, -log_deviation_BCHW.sum((1, 2, 3))

    def inverse(self, kept_BCHW: Tensor, z_BCHW: Tensor) -> Tensor:
        """x of which forward makes (kept, z)."""
        mean_BCHW, log_deviation_BCHW = self._gaussian(kept_BCHW)
        return torch.cat([kept_BCHW, torch.addcmul(mean_BCHW, log_deviation_BCHW.exp(), z_BCHW)], 1)

    def _gaussian(self, kept_BCHW: Tensor) -> tuple[Tensor, Tensor]:
        mean_BCHW, raw_BCHW = self.prior(kept_BCHW).to(kept_BCHW.dtype).chunk(2, 1)
        return mean_BCHW, soft_clamp(raw_BCHW, self.clamp)
