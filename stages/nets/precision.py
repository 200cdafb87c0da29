"""Where a computation needs float32 whatever precision is set around it."""

from __future__ import annotations

import torch
from torch import Tensor


def full_precision(x: Tensor) -> torch.autocast:
    """No autocast inside, for what runs on x's device; the meta device has none, any other's will do there."""
    device = x.device.type
    return torch.autocast("cpu" if device == "meta" else device, enabled=False)
