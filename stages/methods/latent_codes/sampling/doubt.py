"""Tokens that the encoder guesses more than reads: left to the prior where they are doubted (ours)."""

from __future__ import annotations

from torch import Tensor

from stages.methods.latent_codes.blocks.token_mask import half_known


def trusted(cells_B1HW: Tensor, logits_BKHW: Tensor, known_B1HW: Tensor, doubted: float) -> Tensor:
    """The cells, without those known to less than a half whose likeliest code has a chance below `doubted`."""
    sure_B1HW = logits_BKHW.float().softmax(1).amax(1, keepdim=True) >= doubted
    known_BN = half_known(known_B1HW, cells_B1HW[0].numel())
    return cells_B1HW * (sure_B1HW | known_BN.view_as(sure_B1HW))
