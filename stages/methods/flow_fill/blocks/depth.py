"""From pixels in [-1, 1] to the flow's values in [-1/2, 1/2], and back: bit depth and dequantisation."""

from __future__ import annotations

import torch
from torch import Tensor

from stages.images.pixels import LEVELS
from stages.methods.flow_fill.blocks.noise import Owners, uniform


def dequantised(image_BCHW: Tensor, bits: int, owners: Owners) -> Tensor:
    """The image at 2^bits levels a value plus uniform noise of one level, each image's from its owner.

    A density of this is at most the probability of the levels (in expectation of its logarithm), so its bits are an
    upper bound of a code's.
    """
    level_BCHW = torch.floor(_level(image_BCHW).round() / 2 ** (8 - bits))
    noise_BCHW = uniform(owners, (image_BCHW.shape[1], image_BCHW.shape[2], image_BCHW.shape[3]))
    return (level_BCHW + noise_BCHW.to(image_BCHW)) / 2**bits - 0.5


def continuous(image_BCHW: Tensor) -> Tensor:
    """The image at its own value, without noise; a value of 8 bits lies in the middle of its level's interval."""
    return (_level(image_BCHW) + 0.5) / 256 - 0.5


def picture(x_BCHW: Tensor) -> Tensor:
    """The flow's values as an image in [-1, 1]: the inverse of `continuous`, clamped."""
    return (((x_BCHW + 0.5) * 256 - 0.5) / LEVELS - 1).clamp(-1, 1)


def _level(image_BCHW: Tensor) -> Tensor:
    return ((image_BCHW + 1) * LEVELS).clamp(0, 255)
