"""Frechet distance of two sets of images by AlexNet's features: for curves of trainings, never for a score.

A score carries its card and asks for enough images; here the same few images are compared again and again.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from stages.metrics.core.backbones import backbone
from stages.metrics.core.contract import AbsentError
from stages.metrics.core.frechet import fit, frechet

NETWORK = "alexnet"


@dataclass(frozen=True)
class FrechetDistance:
    """contract.SetDistance by a network's features."""

    network: nn.Module
    device: torch.device

    @torch.no_grad()
    def features(self, image_BCHW: Tensor) -> Tensor:
        """Images in [-1, 1], (B, 3, H, W) -> their features, (B, D), on the CPU."""
        return self.network(image_BCHW.float().to(self.device)).cpu()

    def distance(self, real_ND: Tensor, fake_MD: Tensor) -> float:
        """That of two sets' features, at least two each."""
        return frechet(fit(real_ND), fit(fake_MD))


def frechet_distance(device: torch.device) -> FrechetDistance | None:
    """The distance, computed on a device; None where AlexNet's weights cannot be had."""
    try:
        return FrechetDistance(backbone(NETWORK, device), device)
    except AbsentError:
        return None
