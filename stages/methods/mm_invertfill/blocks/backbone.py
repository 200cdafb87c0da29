"""The encoder's way down: five gated convolutions and one self-attention (paper 002, Sec. 3.2)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stages.nets.attention import SpatialAttention
from stages.nets.gated_conv import GatedConv2d
from stages.nets.masked_norm import Normalisation


@dataclass(frozen=True)
class Encoded:
    """Features at 1/8, 1/4 and 1/2, in this order, and the last convolution's gate g_0, of the first one's shape."""

    features: tuple[Tensor, Tensor, Tensor]
    gate_BCHW: Tensor


class Backbone(nn.Module):
    """S -> S/2 -> S/4 -> S/8 without batch statistics; kernels as MMT's, of whose three more at 1/2 there is one.

    Attention (normalised in groups, one head; ours) stands before the tail, so that the first gate has seen it.
    """

    def __init__(self, inputs: int, channels: tuple[int, int, int]) -> None:
        super().__init__()
        eighth, quarter, half = channels
        self.to_half = nn.Sequential(GatedConv2d(inputs, half, 7, 2), GatedConv2d(half, half, 7))
        self.to_quarter = GatedConv2d(half, quarter, 3, 2)
        self.to_eighth = GatedConv2d(quarter, eighth, 3, 2)
        self.attention = SpatialAttention(eighth, Normalisation("group"))
        self.tail = GatedConv2d(eighth, eighth, 3)

    def forward(self, x_BCHW: Tensor) -> Encoded:
        half_BCHW = self.to_half(x_BCHW)
        quarter_BCHW = self.to_quarter(half_BCHW)
        eighth_BCHW, _ = self.attention(self.to_eighth(quarter_BCHW), None)
        feature_BCHW, gate_BCHW = self.tail.conv(eighth_BCHW).chunk(2, 1)
        gate_BCHW = torch.sigmoid(gate_BCHW)
        return Encoded((F.elu(feature_BCHW) * gate_BCHW, quarter_BCHW, half_BCHW), gate_BCHW)
