"""Augmentation of what a discriminator sees, as strong as its overfitting asks for (after Karras et al. 2020, ADA).

Real and made pictures go through the same random, differentiable changes, each with probability p, so the generator
learns to make pictures as they were before. p rises while the discriminator knows training images by heart: while the
mean sign of its logits for real pictures is above the target.
"""

from __future__ import annotations

from math import log, pi

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stages.nets.ranks import mean_over_ranks

SPREAD = 0.2 * log(2)  # deviation of the logarithm of a scale: 2^N(0, 0.2); the paper's
SHIFT = 0.125  # of the side at most, uniformly; the paper's
BRIGHTNESS, CONTRAST, SATURATION = 0.2, 0.5, 1.0  # deviations: added; powers of 2; the paper's


class Augment(nn.Module):
    """Changes pictures in [-1, 1]; `adapt` moves p, a buffer that a resumed run goes on with."""

    p: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("p", torch.zeros(()))

    def adapt(self, real: Tensor, target: float, images: int) -> None:
        """p a step up or down after logits of real pictures; from 0 to 1 in `images` pictures."""
        told = mean_over_ranks(torch.sign(real.detach().float()).mean())
        step = torch.sign(told - target) * (len(real) / images)
        self.p.add_(step).clamp_(0, 1)

    def forward(self, image_BCHW: Tensor) -> Tensor:
        moved_BCHW = self._moved(image_BCHW.float())
        matrix_B33, shift_B3 = self._colours(image_BCHW)
        return torch.einsum("bdc,bchw->bdhw", matrix_B33, moved_BCHW) + shift_B3[:, :, None, None]

    def _moved(self, image_BCHW: Tensor) -> Tensor:
        """Mirrored, turned, scaled, stretched and shifted by one map of coordinates; mirrored beyond the border."""
        return F.grid_sample(
            image_BCHW,
            F.affine_grid(self._affine(image_BCHW), list(image_BCHW.shape), align_corners=False),
            padding_mode="reflection",
            align_corners=False,
        )

    def _affine(self, like_BCHW: Tensor) -> Tensor:
        """(B, 2, 3): where each place of the result is read."""
        draw = _Draws(like_BCHW, self.p)
        mirror_B = 1 - 2 * draw.chosen() * draw.half()
        angle_B = draw.chosen() * draw.uniform() * pi
        scale_B = torch.exp(draw.chosen() * draw.normal() * SPREAD)
        stretch_B = torch.exp(draw.chosen() * draw.normal() * SPREAD)
        cos_B, sin_B = angle_B.cos(), angle_B.sin()
        across_B, down_B = mirror_B * scale_B * stretch_B, scale_B / stretch_B
        moved = [draw.chosen() * draw.uniform() * 2 * SHIFT for _ in range(2)]  # the coordinates' range is 2 wide
        row_B3 = torch.stack([across_B * cos_B, -down_B * sin_B, moved[0]], 1)
        below_B3 = torch.stack([across_B * sin_B, down_B * cos_B, moved[1]], 1)
        return torch.stack([row_B3, below_B3], 1)

    def _colours(self, like_BCHW: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, 3) and (B, 3): saturation about the grey axis, contrast, brightness."""
        draw = _Draws(like_BCHW, self.p)
        grey_33 = torch.full((3, 3), 1 / 3, device=like_BCHW.device)
        own_33 = torch.eye(3, device=like_BCHW.device) - grey_33
        saturation_B = torch.exp2(draw.chosen() * draw.normal() * SATURATION)[:, None, None]
        contrast_B = torch.exp2(draw.chosen() * draw.normal() * CONTRAST)[:, None, None]
        brightness_B1 = (draw.chosen() * draw.normal() * BRIGHTNESS)[:, None]
        return contrast_B * (grey_33 + saturation_B * own_33), brightness_B1.expand(-1, 3)


class _Draws:
    """Random numbers, one a picture, from torch's generator."""

    def __init__(self, like_BCHW: Tensor, p: Tensor) -> None:
        self.count, self.device, self.p = len(like_BCHW), like_BCHW.device, p

    def chosen(self) -> Tensor:
        """1 with probability p, else 0."""
        return (torch.rand(self.count, device=self.device) < self.p).float()

    def half(self) -> Tensor:
        return (torch.rand(self.count, device=self.device) < 0.5).float()

    def uniform(self) -> Tensor:
        """In [-1, 1]."""
        return 2 * torch.rand(self.count, device=self.device) - 1

    def normal(self) -> Tensor:
        return torch.randn(self.count, device=self.device)
