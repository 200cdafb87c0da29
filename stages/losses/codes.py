"""Figures of predicted and used codes, in nats. Axes: B rows, N positions, K codes."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def cross_entropy(logits_BKN: Tensor, codes_BN: Tensor) -> Tensor:
    """-log p of the true code at every position, in float32; shaped like codes_BN (further axes are welcome)."""
    return F.cross_entropy(logits_BKN.float(), codes_BN, reduction="none")


def perplexity(counts_K: Tensor) -> float:
    """exp of the entropy of how often each code was used: the number of codes that would do evenly."""
    p_K = counts_K.double() / counts_K.sum().clamp(min=1)
    return float((-(p_K * p_K.clamp(min=1e-12).log()).sum()).exp())
