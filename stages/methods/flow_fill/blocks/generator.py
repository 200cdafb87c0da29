"""G_phi: the picture from the up-sampled prior and the masked image (paper 003, Sec. 3.3), ICT's shape, gated."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from stages.contract import Params
from stages.images.pixels import blank, composite
from stages.nets.gated_conv import GatedConv2d, GatedResidual, GatedUp2d

INPUTS = 7  # the masked image, where it is known (ours: a blank is a colour, too), the up-sampled prior


class Sizes(Params):
    """G_phi."""

    width: int = Field(default=64, ge=1)  # ICT's
    blocks: int = Field(default=8, ge=0)  # ICT's
    dilation: int = Field(default=2, ge=1)  # ICT's
    stem: int = Field(default=1, ge=1)  # pixels along a side folded into channels by the encoder; 1: none, as in ICT
    correct: bool = False  # G corrects its input (prior in the hole, image outside); ours, for small budgets


class Generator(nn.Module):
    """Encoder, residual blocks, decoder, every convolution but the last gated; the output is whole, not composited.

    At a stem of r, blocks of r x r pixels enter as channels, so that little runs at full size. Pixels do not leave that
    way: r^2 kernels that know nothing of each other leave a comb, so the last map is up-sampled and convolved (ours).
    """

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        width, kernel = sizes.width, 7 if sizes.stem == 1 else 3
        self.stem, self.correct = sizes.stem, sizes.correct
        last = width if sizes.stem == 1 else -(-width // 2)
        self.layers = nn.Sequential(
            GatedConv2d(INPUTS * sizes.stem**2, width, kernel),
            GatedConv2d(width, 2 * width, 4, 2),
            GatedConv2d(2 * width, 4 * width, 4, 2),
            *(GatedResidual(4 * width, sizes.dilation) for _ in range(sizes.blocks)),
            GatedUp2d(4 * width, 2 * width),
            GatedUp2d(2 * width, width),
        )
        self.grow = GatedUp2d(width, last, sizes.stem) if sizes.stem > 1 else None
        self.leave = nn.Conv2d(last, 3, kernel, padding=kernel // 2)
        if sizes.correct:
            nn.init.zeros_(self.leave.weight)
            nn.init.zeros_(self.leave.bias)  # type: ignore[arg-type]

    def forward(self, prior_Bchw: Tensor, image_BCHW: Tensor, known_B1HW: Tensor) -> Tensor:
        """I_c = G(I_s up-sampled, I_m) in [-1, 1]; hole content cannot enter."""
        prior_BCHW = enlarged(prior_Bchw, image_BCHW.shape[-1])
        seen_BCHW = torch.cat([blank(image_BCHW, known_B1HW), known_B1HW, prior_BCHW], 1)
        last_BCHW = self.layers(F.pixel_unshuffle(seen_BCHW, self.stem))
        made_BCHW = self.leave(last_BCHW if self.grow is None else self.grow(last_BCHW)).float()
        if self.correct:
            return composite(prior_BCHW, image_BCHW, known_B1HW) + made_BCHW
        return torch.tanh(made_BCHW)


def enlarged(prior_Bchw: Tensor, size: int) -> Tensor:
    """I_s up-sampled: bicubic, clamped (ours: the paper names no filter)."""
    if prior_Bchw.shape[-1] == size:
        return prior_Bchw
    return F.interpolate(prior_Bchw, size=size, mode="bicubic", align_corners=False).clamp(-1, 1)
