"""Attention of every position over those before it in raster order, itself not among them (PixelSNAIL's, paper 001)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from stages.nets.attention import attend
from stages.nets.causal_conv import normed


class CausalAttention(nn.Module):
    """x plus what each of `heads` heads brings from strictly earlier positions; the first position gets nothing.

    Axes: J heads, N positions, d channels of a head (`key_width` of queries and keys, `value_width` of values).
    """

    def __init__(self, channels: int, heads: int, key_width: int, value_width: int) -> None:
        super().__init__()
        self.heads, self.widths = heads, (key_width, key_width, value_width)
        self.to_qkv = normed(channels, heads * sum(self.widths))
        self.to_out = normed(heads * value_width, channels, gain=0.1)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        q_BJNd, k_BJNd, v_BJNd = self.split(self.to_qkv(x_BCHW).flatten(2).transpose(1, 2))
        positions = q_BJNd.shape[2]
        before_MM = torch.ones(positions - 1, positions - 1, dtype=torch.bool, device=x_BCHW.device).tril()
        y_BJMd = attend(q_BJNd[:, :, 1:], k_BJNd[:, :, :-1], v_BJNd[:, :, :-1], before_MM)
        y_BCM = y_BJMd.transpose(2, 3).flatten(1, 2)
        y_BCN = torch.cat([torch.zeros_like(y_BCM[:, :, :1]), y_BCM], 2)
        return x_BCHW + self.to_out(y_BCN.unflatten(2, x_BCHW.shape[2:]))

    def split(self, qkv_BNC: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(q, k, v) by heads, (B, J, N, d) each."""
        parts = qkv_BNC.split([self.heads * width for width in self.widths], -1)
        q, k, v = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in parts)
        return q, k, v
