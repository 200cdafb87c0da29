"""What the structure generator is told of the masked image (paper 001, Sec. 3.2): a stack of gated layers."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stages.contract import UserError
from stages.images.pixels import blank
from stages.methods.dsi.blocks.autoencoder import FACTOR
from stages.nets.causal_conv import normed
from stages.nets.gated_residual import GatedResidual

INPUTS = 5  # the masked image, ones (they tell the border from a blank), where the hole is


class ConditionNet(nn.Module):
    """(masked image, known) -> (B, channels, H, W) on the grid of structure codes; hole content cannot enter.

    The width doubles with every halving. At a stem of r, blocks of r x r pixels are folded into channels, so that
    nothing runs at full size; 1 is as released.
    """

    def __init__(self, width: int, dilations: tuple[int, ...], stem: int) -> None:
        super().__init__()
        if stem not in (1, 2, 4, 8):
            raise UserError(f"params: methods.dsi.prior.stem: {stem} is none of 1, 2, 4, 8")
        self.stem = stem
        layers: list[nn.Module] = [normed(INPUTS * stem**2, width, 5, padding=2)]
        for _ in range((FACTOR // stem).bit_length() - 1):
            layers += [_gated(width), normed(width, 2 * width, 3, stride=2, padding=1)]
            width *= 2
        self.layers = nn.Sequential(*layers, *(_gated(width, dilation) for dilation in dilations))
        self.channels = width

    def forward(self, image_BCHW: Tensor, known_B1HW: Tensor) -> Tensor:
        masked_BCHW = blank(image_BCHW, known_B1HW)
        seen_BCHW = torch.cat([masked_BCHW, torch.ones_like(known_B1HW), 1 - known_B1HW], 1)
        return self.layers(F.pixel_unshuffle(seen_BCHW, self.stem))


def _gated(width: int, dilation: int = 1) -> nn.Module:
    def conv(inputs: int, outputs: int, gain: float = 1.0) -> nn.Module:
        return normed(inputs, outputs, 3, gain, padding=dilation, dilation=dilation)

    return GatedResidual(width, conv)
