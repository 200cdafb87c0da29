"""Perceptual and style losses over a frozen classifier's maps (Liu et al. 2018, partial convolutions, eq. 3 to 5).

Maps are lists of (B, C, h, w), the finest first, of any float type; all is computed in float32, so call it outside of
autocast. Both losses are 0-d and at least 0. Their gradient reaches both lists: make the real maps without one.
The paper compares both the raw output and the composite with the truth, and adds the two.
"""

from __future__ import annotations

import torch
from torch import Tensor

# Liu et al. 2018, eq. 7: weights beside 6 for L1 in the hole and 1 for L1 in what is known, both over all of the image
PERCEPTUAL = 0.05
STYLE = 120.0


def perceptual_loss(fake_maps: list[Tensor], real_maps: list[Tensor]) -> Tensor:
    """Sum over maps of the mean absolute difference (eq. 3)."""
    pairs = zip(fake_maps, real_maps, strict=True)
    return torch.stack([(fake_BChw.float() - real_BChw.float()).abs().mean() for fake_BChw, real_BChw in pairs]).sum()


def style_loss(fake_maps: list[Tensor], real_maps: list[Tensor]) -> Tensor:
    """Sum over maps of the mean absolute difference of Gram matrices: L1 over C * C, as eq. 4 and 5 divide it."""
    pairs = zip(fake_maps, real_maps, strict=True)
    return torch.stack([(gram(fake_BChw) - gram(real_BChw)).abs().mean() for fake_BChw, real_BChw in pairs]).sum()


def gram(map_BChw: Tensor) -> Tensor:
    """How channels go together, wherever they do: sums over positions of products, over C * h * w (K_p); (B, C, C)."""
    map_BCN = map_BChw.float().flatten(2)
    return map_BCN @ map_BCN.mT / map_BCN[0].numel()
