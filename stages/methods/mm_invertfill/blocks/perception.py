"""What pictures are compared by beside pixels: a segmentation network's maps, or LPIPS (paper 002, eq. 7)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from stages.contract import Accelerator, Features
from stages.losses.hrf import hrf_loss

NETWORK = "resnet50_seg"  # of `Accelerator.features`
Kind = Literal["hrf", "lpips"]
Distance = Callable[[Tensor, Tensor], Tensor]  # made and real pictures (B, 3, H, W) in [-1, 1] -> 0-d


def perception(kind: Kind, net: str, accelerator: Accelerator) -> Distance | None:
    """The high-receptive-field distance; LPIPS on `net` where that is asked for, or where the former's weights cannot
    be had; None where neither can. The accelerator tells and records what is missing.
    """
    features = accelerator.features(NETWORK) if kind == "hrf" else None
    if features is not None:
        return _by_maps(features)
    lpips = accelerator.perceptual(net)
    return None if lpips is None else lambda made_BCHW, real_BCHW: lpips(made_BCHW, real_BCHW).float().mean()


def _by_maps(features: Features) -> Distance:
    def of(made_BCHW: Tensor, real_BCHW: Tensor) -> Tensor:
        with torch.no_grad():
            real = features(real_BCHW)
        return hrf_loss(features(made_BCHW), real)

    return of
