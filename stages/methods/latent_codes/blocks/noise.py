"""Randomness that belongs to an image or a sample: drawn from its own seed, on CPU, whatever the batch."""

from __future__ import annotations

import torch
from torch import Tensor

from stages.nets.seeded import generators

SALT = 0x5A17  # so that chances and what else a seed draws say nothing of each other


def chances(seeds_B: Tensor) -> Tensor:
    """Two numbers an image, (B, 2), uniform in [0, 1): by them it is decided how the image is shown."""
    return torch.stack([torch.rand(2, generator=owner, device="cpu") for owner in generators(seeds_B ^ SALT)])


def random_visible(seeds_B: Tensor, positions: int, low: float, high: float) -> Tensor:
    """visible_BN (bool): each image hides each position with one probability of its own, uniform in [low, high]."""
    rows = []
    for generator in generators(seeds_B):
        ratio = low + (high - low) * torch.rand((), generator=generator, device="cpu")
        rows.append(torch.rand(positions, generator=generator, device="cpu") >= ratio)
    return torch.stack(rows)


def swapped(codes_BHW: Tensor, seeds_B: Tensor, share: float, codes: int) -> Tensor:
    """The codes with a share of them replaced by codes drawn uniformly."""
    other, where = [], []
    for generator in generators(seeds_B):
        other.append(torch.randint(codes, codes_BHW.shape[1:], generator=generator, device="cpu"))
        where.append(torch.rand(codes_BHW.shape[1:], generator=generator, device="cpu") < share)
    device = codes_BHW.device
    return torch.where(torch.stack(where).to(device), torch.stack(other).to(device), codes_BHW)
