"""Maps doubled and halved by the filter [1, 3, 3, 1] along either axis, zeros outside (StyleGAN2's resampling).

Both are one depthwise convolution, transposed or strided, so that nothing is computed to be left out.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from stages.nets.precision import full_precision

TAPS = torch.tensor([1.0, 3.0, 3.0, 1.0], device="cpu") / 8.0
FILTER = TAPS[:, None] * TAPS  # made once: to make it anew took a quarter of the time of small maps


def kernel(x: Tensor, gain: float = 1.0) -> Tensor:
    """The filter over both axes, its sum `gain`, for a depthwise convolution of x's channels: (C, 1, 4, 4)."""
    return (gain * FILTER.to(x)).expand(x.shape[1], 1, *FILTER.shape)


def upsample(x_BCHW: Tensor) -> Tensor:
    """Twice as large, in x's own precision; a constant map stays what it is away from the border."""
    with full_precision(x_BCHW):
        return F.conv_transpose2d(x_BCHW, kernel(x_BCHW, 4.0), stride=2, padding=1, groups=x_BCHW.shape[1])


def downsample(x_BCHW: Tensor) -> Tensor:
    """Half as large (even sides)."""
    return F.conv2d(x_BCHW, kernel(x_BCHW), stride=2, padding=1, groups=x_BCHW.shape[1])


def blur(x_BCHW: Tensor, padding: int, gain: float = 1.0) -> Tensor:
    """Filtered at its own size, padded by zeros: 2 * padding - 3 larger on either axis."""
    return F.conv2d(x_BCHW, kernel(x_BCHW, gain), padding=padding, groups=x_BCHW.shape[1])
