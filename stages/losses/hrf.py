"""High-receptive-field perceptual loss over maps of a dilated network (paper 002, eq. 7; after Suvorov et al. 2022)."""

from __future__ import annotations

import torch
from torch import Tensor


def hrf_loss(fake_maps: list[Tensor], real_maps: list[Tensor]) -> Tensor:
    """Sum over maps of the mean squared difference, 0-d, float32; lists of (B, C, h, w) of any float type.

    The gradient reaches the fake maps alone.
    """
    pairs = zip(fake_maps, real_maps, strict=True)
    means = [(fake_BChw.float() - real_BChw.detach().float()).square().mean() for fake_BChw, real_BChw in pairs]
    return torch.stack(means).sum()
