"""Structure codes as a picture: a colour a code, so that equal codes are seen to be equal."""

from __future__ import annotations

import torch
from torch import Tensor

STEPS = (0.7548776662, 0.5698402910, 0.4301597090)  # of the colours' three channels: neighbours in number lie far apart


def colours(codes_BHW: Tensor, size: int) -> Tensor:
    """(B, 3, size, size) in [-1, 1]: every code a colour of its own, every cell a block of size / H pixels."""
    steps_C111 = torch.tensor(STEPS, dtype=torch.float64).view(3, 1, 1)
    shade_BCHW = (codes_BHW.cpu()[:, None].double() * steps_C111).frac() * 2 - 1
    side = size // codes_BHW.shape[2]
    return shade_BCHW.float().repeat_interleave(side, 2).repeat_interleave(side, 3)
