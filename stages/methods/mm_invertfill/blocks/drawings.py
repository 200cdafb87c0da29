"""What a scale restores, as pictures."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from stages.methods.mm_invertfill.blocks.decoder import Restoration
from stages.nets.class_colours import colours


def drawings(seen: Restoration, size: int) -> dict[str, Tensor]:
    """The picture (`restored`), edges (white where likely) and classes (a colour each), (B, 3, size, size)."""
    found = {"restored": F.interpolate(seen.image_B3hw.clamp(-1, 1), size=size, mode="bilinear", align_corners=False)}
    if seen.edges_B1hw is not None:
        edges_B1hw = 2 * torch.sigmoid(seen.edges_B1hw) - 1
        found["edges"] = F.interpolate(edges_B1hw, size=size).expand(-1, 3, -1, -1)
    if seen.labels_BChw is not None:
        found["labels"] = F.interpolate(colours(seen.labels_BChw.argmax(1)), size=size)
    return found
