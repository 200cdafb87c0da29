"""Blocks of 2 x 2 pixels as channels: how a flow trades resolution for channels."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class Squeeze(nn.Module):
    """Glow's squeeze, (B, C, H, W) -> (B, 4C, H/2, W/2); a permutation of values, so it keeps volume.

    It goes by the signature of every flow layer: `forward(x, condition) -> (z, logdet_B)` and `inverse(z, condition)`.
    """

    def forward(self, x_BCHW: Tensor, condition: Tensor | None = None) -> tuple[Tensor, Tensor]:
        return F.pixel_unshuffle(x_BCHW, 2), x_BCHW.new_zeros(len(x_BCHW))

    def inverse(self, z_BCHW: Tensor, condition: Tensor | None = None) -> Tensor:
        """The pixels back in their places."""
        return F.pixel_shuffle(z_BCHW, 2)
