"""Distances between images in [-1, 1], a value an image."""

from __future__ import annotations

import torch
from torch import Tensor


def psnr(image_BCHW: Tensor, other_BCHW: Tensor, chosen_B1HW: Tensor | None = None) -> Tensor:
    """Peak signal-to-noise ratio in dB, (B,), of the whole image or of the chosen pixels; both clamped to [-1, 1]."""
    square_BCHW = (image_BCHW.float().clamp(-1, 1) - other_BCHW.float().clamp(-1, 1)).square()
    if chosen_B1HW is None:
        return _decibel(square_BCHW.mean((1, 2, 3)))
    count_B = chosen_B1HW.sum((1, 2, 3)).clamp(min=1) * square_BCHW.shape[1]
    return _decibel((square_BCHW * chosen_B1HW).sum((1, 2, 3)) / count_B)


def _decibel(mean_square_B: Tensor) -> Tensor:
    return 10 * torch.log10(4 / mean_square_B.clamp(min=1e-10))  # the range [-1, 1] is 2 wide
