"""A learned codebook: the nearest code of every vector of a feature map.

Axes: D a code's channels, K codes, H W the grid. Distances are taken in float32: call it outside of autocast.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class Quantized:
    """z_BDHW holds codebook vectors, with the gradient of what was quantised; codes_BHW their indices (int64)."""

    z_BDHW: Tensor
    codes_BHW: Tensor
    commitment: Tensor  # how far features are from their codes, felt by the encoder
    codebook: Tensor  # the same distance, felt by the codebook


class Codebook(nn.Module):
    """Vector quantisation with a straight-through gradient; how the vectors learn is its subclasses' affair.

    With `normalised`, features and codes are compared and returned on the unit sphere.
    """

    codebook_KD: Tensor
    idle_K: Tensor

    def __init__(self, codes: int, normalised: bool) -> None:
        super().__init__()
        self.normalised = normalised
        self.register_buffer("idle_K", torch.zeros(codes, dtype=torch.int64))

    def vectors(self) -> Tensor:
        """The codes' vectors, (K, D)."""
        return F.normalize(self.codebook_KD, dim=1) if self.normalised else self.codebook_KD

    def look_up(self, codes_BHW: Tensor) -> Tensor:
        """Vectors of codes as a feature map, (B, D, H, W)."""
        return F.embedding(codes_BHW, self.vectors()).permute(0, 3, 1, 2).contiguous()

    def nearest(self, z_BDHW: Tensor) -> Tensor:
        """The index of the nearest code of every position, (B, H, W)."""
        z_MD = self._flat(z_BDHW)
        vectors_KD = self.vectors()
        distance_MK = vectors_KD.square().sum(1) - 2 * z_MD @ vectors_KD.T  # |z|^2 is the same for every code
        return distance_MK.argmin(1).view(z_BDHW.shape[0], *z_BDHW.shape[2:])

    def forward(self, z_BDHW: Tensor) -> Quantized:
        z_BDHW = z_BDHW.float()
        codes_BHW = self.nearest(z_BDHW)
        if self.normalised:
            z_BDHW = F.normalize(z_BDHW, dim=1)
        code_BDHW = self.look_up(codes_BHW)
        straight_BDHW = z_BDHW + (code_BDHW - z_BDHW).detach()
        commitment = F.mse_loss(z_BDHW, code_BDHW.detach())
        return Quantized(straight_BDHW, codes_BHW, commitment, F.mse_loss(code_BDHW, z_BDHW.detach()))

    @torch.no_grad()
    def restart(self, z_BDHW: Tensor, codes_BHW: Tensor, patience: int, generator: torch.Generator) -> None:
        """Move codes that were not chosen for `patience` calls onto features of this batch.

        Which features is drawn from `generator` (CPU) alone, so the same calls give the same codebook; with several
        ranks, use is counted over all of them and the first one's features serve all.
        """
        z_MD = self._flat(z_BDHW.detach())
        chosen_M = codes_BHW.flatten()
        used_K = torch.zeros_like(self.idle_K).scatter_add_(0, chosen_M, torch.ones_like(chosen_M))
        drawn_K = torch.randint(len(z_MD), self.idle_K.shape, generator=generator, device="cpu").to(z_MD.device)
        fresh_KD = z_MD[drawn_K]
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            torch.distributed.all_reduce(used_K)
            torch.distributed.broadcast(fresh_KD, 0)
        self.idle_K.copy_(torch.where(used_K > 0, 0, self.idle_K + 1))
        dead_K = self.idle_K >= patience
        self.place(dead_K, fresh_KD)
        self.idle_K.masked_fill_(dead_K, 0)

    def place(self, dead_K: Tensor, fresh_KD: Tensor) -> None:
        """Put fresh vectors where codes are dead."""
        self.codebook_KD.copy_(torch.where(dead_K[:, None], fresh_KD, self.codebook_KD))

    def _flat(self, z_BDHW: Tensor) -> Tensor:
        z_MD = z_BDHW.float().movedim(1, -1).reshape(-1, z_BDHW.shape[1])
        return F.normalize(z_MD, dim=1) if self.normalised else z_MD


class Quantizer(Codebook):
    """A codebook that learns by its own loss (paper 000, Sec. 3.1; VQGAN's)."""

    codebook_KD: nn.Parameter

    def __init__(self, codes: int, channels: int, normalised: bool) -> None:
        super().__init__(codes, normalised)
        self.codebook_KD = nn.Parameter(torch.empty(codes, channels).uniform_(-1 / codes, 1 / codes))
