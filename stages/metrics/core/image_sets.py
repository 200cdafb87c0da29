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
PIECE = 64  # images at once


@dataclass(frozen=True)
class FrechetDistance:
    """Two sets of images in [-1, 1], (N, 3, H, W) each, at least 2 -> the distance of their features."""

    network: nn.Module
    device: torch.device

    def __call__(self, real_NCHW: Tensor, fake_NCHW: Tensor) -> float:
        return frechet(fit(self._features(real_NCHW)), fit(self._features(fake_NCHW)))

    @torch.no_grad()
    def _features(self, image_NCHW: Tensor) -> Tensor:
        return torch.cat([self.network(piece.float().to(self.device)).cpu() for piece in image_NCHW.split(PIECE)])


def frechet_distance(device: torch.device) -> FrechetDistance | None:
    """The distance, computed on a device; None where AlexNet's weights cannot be had."""
    try:
        return FrechetDistance(backbone(NETWORK, device), device)
    except AbsentError:
        return None
