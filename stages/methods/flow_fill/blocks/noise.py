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


def degraded(latents: Sequence[Tensor], owners: Owners, levels: int) -> list[Tensor]:
    """Section 3.3's z': the latents of the `levels` finest levels are noise, those of the coarser ones are z's own.

    The paper says neither which dimensions are replaced nor how many: ours.
    """
    shapes = [(z.shape[1], z.shape[2], z.shape[3]) for z in latents[:levels]]
    noise = normal(owners, shapes)
    return [*(n_BCHW.to(z) for n_BCHW, z in zip(noise, latents, strict=False)), *latents[levels:]]
