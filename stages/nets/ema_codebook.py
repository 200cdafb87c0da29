"""A codebook that follows the features it is chosen for by a moving average (VQ-VAE, App. A.1; paper 001, Sec. 3.1)."""

from __future__ import annotations

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor

from stages.nets.quantizer import Codebook


class EmaCodebook(Codebook):
    """Each vector is the moving average of its features' sum over that of their count, the count Laplace-smoothed.

    With n_k features z of a batch chosen for code k, sum s_k, and N = sum_k N_k:
    N_k <- decay N_k + (1 - decay) n_k,  m_k <- decay m_k + (1 - decay) s_k,
    e_k = m_k / ((N_k + epsilon) / (N + K epsilon) N).

    The averages begin as one member a code, so that a code which nobody chooses stays where it is. Everything is a
    buffer: weights' averages leave it alone.
    """

    counts_K: Tensor
    sums_KD: Tensor

    def __init__(self, codes: int, channels: int, decay: float, epsilon: float) -> None:
        super().__init__(codes, normalised=False)
        self.decay, self.epsilon = decay, epsilon
        self.register_buffer("codebook_KD", torch.randn(codes, channels))
        self.register_buffer("counts_K", torch.ones(codes))
        self.register_buffer("sums_KD", self.codebook_KD.clone())

    @torch.no_grad()
    def follow(self, z_BDHW: Tensor, codes_BHW: Tensor) -> None:
        """One step of the averages; features of all ranks count."""
        chosen_MK = F.one_hot(codes_BHW.flatten(), len(self.counts_K)).float()
        counts_K, sums_KD = chosen_MK.sum(0), chosen_MK.T @ self._flat(z_BDHW.detach())
        if dist.is_available() and dist.is_initialized():
            dist.all_reduce(counts_K)
            dist.all_reduce(sums_KD)
        self.counts_K.lerp_(counts_K, 1 - self.decay)
        self.sums_KD.lerp_(sums_KD, 1 - self.decay)
        total = self.counts_K.sum()
        smoothed_K = (self.counts_K + self.epsilon) / (total + len(self.counts_K) * self.epsilon) * total
        self.codebook_KD.copy_(self.sums_KD / smoothed_K[:, None])

    def place(self, dead_K: Tensor, fresh_KD: Tensor) -> None:
        """Put fresh vectors where codes are dead, as one member each."""
        super().place(dead_K, fresh_KD)
        self.sums_KD.copy_(torch.where(dead_K[:, None], fresh_KD, self.sums_KD))
        self.counts_K.masked_fill_(dead_K, 1.0)
