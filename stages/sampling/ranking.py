"""Completions in the order of how likely their method finds them: `plurifill inpaint --rank likelihood`."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from stages.contract import Inpainter, Request, Scores, UserError
from stages.project.progress import tell


def likeliest_first(
    inpainter: Inpainter, image_BCHW: Tensor, known_B1HW: Tensor, raw_KCHW: Tensor, seeds: Sequence[int]
) -> Tensor:
    """One picture's completions (K, 3, H, W), drawn by these seeds, the likeliest draw first.

    The order is told by seed, with log p in nats.
    """
    if not isinstance(inpainter, Scores):
        raise UserError("--rank likelihood: this method cannot tell how likely a completion is; leave --rank out")
    nats_K = inpainter.log_likelihood(Request(image_BCHW, known_B1HW, torch.tensor([list(seeds)])))[0]
    order = nats_K.argsort(descending=True, stable=True).tolist()
    for place, k in enumerate(order):
        tell(f"{place:02d}: seed {seeds[k]}, log p = {nats_K[k]:.1f} nats")
    return raw_KCHW[order]
