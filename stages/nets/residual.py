"""A residual block of two convolutions of any kind."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from stages.nets.masked_norm import MaskedNorm, Normalisation
from stages.nets.partial_conv import Convolution


class ResidualBlock(nn.Module):
    """Normalised before and after the first 3x3 convolution (paper 000, Sec. 6); a 1x1 one carries a change of width.

    The output is known where its second convolution's is.
    """

    def __init__(self, inputs: int, outputs: int, conv: Convolution, normalisation: Normalisation) -> None:
        super().__init__()
        self.norm1, self.norm2 = MaskedNorm(inputs, normalisation), MaskedNorm(outputs, normalisation)
        self.conv1, self.conv2 = conv(inputs, outputs, 3), conv(outputs, outputs, 3)
        self.skip = conv(inputs, outputs, 1) if inputs != outputs else None

    def forward(self, x_BCHW: Tensor, known_B1HW: Tensor | None) -> tuple[Tensor, Tensor | None]:
        h_BCHW, seen_B1HW = self.conv1(F.silu(self.norm1(x_BCHW, known_B1HW)), known_B1HW)
        h_BCHW, seen_B1HW = self.conv2(F.silu(self.norm2(h_BCHW, seen_B1HW)), seen_B1HW)
        if self.skip is not None:
            x_BCHW, _ = self.skip(x_BCHW, known_B1HW)
        return x_BCHW + h_BCHW, seen_B1HW
