"""Randomness that belongs to an image or a sample: drawn from its own seed, on the CPU, whatever the batch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

Shape = tuple[int, int, int]
Owners = Sequence[torch.Generator]


def uniform(owners: Owners, shape: Shape) -> Tensor:
    """Uniform in [0, 1), (B, C, H, W): each row from its owner."""
    return torch.stack([torch.rand(shape, generator=owner, device="cpu") for owner in owners])


def normal(owners: Owners, shapes: Sequence[Shape]) -> list[Tensor]:
    """Standard normal latents, a (B, C, H, W) a shape: each owner draws them in the shapes' order."""
    rows = [[torch.randn(shape, generator=owner, device="cpu") for shape in shapes] for owner in owners]
    return [torch.stack(latent) for latent in zip(*rows, strict=True)]


def degraded(latents: Sequence[Tensor], owners: Owners, share: float) -> list[Tensor]:
    """Section 3.3's z': a share of each image's latents replaced by noise.

    The finest level goes first, what is left over falls on random places of the next one: the coarse levels keep the
    true structure, so z' is a slightly disturbed z. (The paper says neither which nor how many; this choice is ours.)
    """
    left = round(share * sum(z_BCHW[0].numel() for z_BCHW in latents))
    noise = normal(owners, [(z.shape[1], z.shape[2], z.shape[3]) for z in latents])
    result = []
    for z_BCHW, noise_BCHW in zip(latents, noise, strict=True):
        count = min(left, z_BCHW[0].numel())
        left -= count
        chosen_BCHW = _some(owners, z_BCHW.shape, count).to(z_BCHW.device)
        result.append(torch.where(chosen_BCHW, noise_BCHW.to(z_BCHW), z_BCHW))
    return result


def _some(owners: Owners, shape: torch.Size, count: int) -> Tensor:
    """`count` random places of each row, (B, C, H, W) bool."""
    orders = [torch.randperm(shape[1:].numel(), generator=owner, device="cpu") for owner in owners]
    return (torch.stack(orders) < count).view(shape)
