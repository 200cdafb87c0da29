"""Class numbers as colours that can be told apart, the same for a class whatever the others are."""

from __future__ import annotations

import torch
from torch import Tensor

GOLDEN = 0.6180339887  # steps of it round the circle of hues never come near an earlier one soon


def colours(labels_BHW: Tensor) -> Tensor:
    """(B, 3, H, W) in [-1, 1]: hues a golden section apart."""
    hue_BHW = labels_BHW.float() * GOLDEN
    shift_311 = torch.tensor([0.0, 1 / 3, 2 / 3], device=labels_BHW.device)[:, None, None]
    return torch.cos(2 * torch.pi * (hue_BHW[:, None] - shift_311))
