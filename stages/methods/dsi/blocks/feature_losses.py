"""Feature losses from the frozen VQ-VAE: does a completion have the truth's codes? (paper 001, Sec. 3.3, eq. 11)."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from stages.methods.dsi.blocks.similarity import Distance, distances, similarity

SCALE = 10.0  # lambda_2; paper eq. 11


def feature_loss(features_BDHW: Tensor, codebook_KD: Tensor, codes_BHW: Tensor, kind: Distance) -> Tensor:
    """Cross-entropy of the true codes under a softmax of the features' similarity to all code vectors.

    The mean over positions (as released; the paper's equation sums).
    """
    features_1MD = features_BDHW.float().movedim(1, 3).flatten(0, 2)[None]
    close_1MK = similarity(distances(features_1MD, codebook_KD[None], kind))
    return F.cross_entropy(SCALE * close_1MK[0], codes_BHW.flatten())
