"""Randomness that belongs to an image or a sample: drawn from its own seed, on the CPU, whatever the batch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def generators(seeds_B: Tensor) -> list[torch.Generator]:
    """One generator a seed, on the CPU."""
    return [torch.Generator("cpu").manual_seed(int(seed)) for seed in seeds_B.flatten().tolist()]


def exponential(owners: Sequence[torch.Generator], counts: Sequence[int], width: int) -> Tensor:
    """Exp(1) draws, (sum of counts, width): each owner's rows from its own generator, in turn.

    argmax(log p - log e) over a row is a draw from p (Gumbel's trick).
    """
    return torch.cat([torch.empty(n, width).exponential_(generator=g) for g, n in zip(owners, counts, strict=True)])
