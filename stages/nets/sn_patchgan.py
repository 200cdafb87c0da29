"""SN-PatchGAN: a discriminator whose every output judges a wide patch, convolutions of spectral norm 1 (paper 001)."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

SHARES = (1, 2, 4, 4, 4, 4)  # of the width, a layer; DeepFill v2's


class SnPatchGan(nn.Module):
    """Six 5x5 convolutions of stride 2 over picture and mask, leaky after the last one too; (B, outputs).

    The estimates of the norms are buffers, so a resumed run goes on with them.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        widths = [4, *(width * share for share in SHARES)]
        layers: list[nn.Module] = []
        for inner, outer in pairwise(widths):
            layers += [spectral_norm(nn.Conv2d(inner, outer, 5, 2, 2)), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers)

    def forward(self, image_BCHW: Tensor, hole_B1HW: Tensor) -> Tensor:
        return self.layers(torch.cat([image_BCHW, hole_B1HW], 1)).flatten(1)
