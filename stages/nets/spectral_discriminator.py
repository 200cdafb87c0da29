"""A patch discriminator whose convolutions have spectral norm 1."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm


class SpectralDiscriminator(nn.Module):
    """4x4 convolutions of width, 2, 4, 8 times it and 1 (EdgeConnect's and ICT's shape); logits (B, 1, h, w).

    Three strides of 2, then two of 1. The estimates of the norms are buffers, so a resumed run goes on with them.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        widths = [channels, width, 2 * width, 4 * width, 8 * width]
        layers: list[nn.Module] = []
        for number, (inner, outer) in enumerate(pairwise(widths)):
            stride = 2 if number < 3 else 1
            layers += [spectral_norm(nn.Conv2d(inner, outer, 4, stride, 1)), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers, spectral_norm(nn.Conv2d(widths[-1], 1, 4, 1, 1)))

    def forward(self, x_BCHW: Tensor) -> Tensor:
        return self.layers(x_BCHW)
