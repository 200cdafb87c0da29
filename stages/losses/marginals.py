"""How often each code was met in training: the bar that a prior's cross-entropy has to pass."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Marginals(nn.Module):
    """Counts of codes a position. Axes: N positions, K codes."""

    counts_NK: Tensor

    def __init__(self, positions: int, codes: int) -> None:
        super().__init__()
        self.register_buffer("counts_NK", torch.zeros(positions, codes, dtype=torch.int64))

    def count(self, codes_BN: Tensor) -> None:
        """Take a batch in."""
        codes_NB = codes_BN.T.contiguous()
        self.counts_NK.scatter_add_(1, codes_NB, torch.ones_like(codes_NB))

    def cross_entropy(self, codes_BN: Tensor) -> tuple[Tensor, Tensor]:
        """-log p of codes in nats, (B, N) each: by their overall frequency, and by their frequency at their position.

        The overall one is smoothed by one count a code, the positional one by K counts spread as the overall one.
        """
        counts_NK = self.counts_NK.double()
        codes = counts_NK.shape[1]
        overall_K = (counts_NK.sum(0) + 1) / (counts_NK.sum() + codes)
        placed_NK = (counts_NK + codes * overall_K) / (counts_NK.sum(1, keepdim=True) + codes)
        placed_BN = placed_NK.T[codes_BN, torch.arange(codes_BN.shape[1], device=codes_BN.device)]
        return -overall_K.log()[codes_BN], -placed_BN.log()
