"""The F of F&W+: what the generator's maps are added to from the picture's branch (paper 002, Sec. 3.3.2, eq. 6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stages.methods.mm_invertfill.blocks.sizes import LEVELS, Sizes
from stages.nets.gated_conv import GatedConv2d

PICTURE = 4  # channels: the blanked image and its mask


class Span(nn.Module):
    """One scale: the picture's own pixels, folded into channels so that none is lost, its features, what is restored.

    The last convolution begins at 0, so that training begins at the plain generator (ours).
    """

    def __init__(self, channels: int, factor: int, outputs: int) -> None:
        super().__init__()
        self.factor = factor
        self.enter = GatedConv2d(PICTURE * factor**2 + channels + 3, channels, 3)
        self.leave = nn.Conv2d(channels, outputs, 3, padding=1)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)  # type: ignore[arg-type]

    def forward(self, picture_B4HW: Tensor, feature_BChw: Tensor, image_B3hw: Tensor) -> Tensor:
        folded_BChw = F.pixel_unshuffle(picture_B4HW, self.factor)
        return self.leave(self.enter(torch.cat([folded_BChw, feature_BChw, image_B3hw], 1)))


class Bridge(nn.Module):
    """Maps to be added to the generator's at 1/8, 1/4 and 1/2 of the size, by side."""

    def __init__(self, sizes: Sizes, size: int, widths: Mapping[int, int]) -> None:
        """`widths`: channels of the generator's maps by their side."""
        super().__init__()
        self.sides = [size // factor for factor in LEVELS]
        missing = [side for side in self.sides if side not in widths]
        assert not missing, f"the generator has no maps of side {missing}"
        outputs = (widths[side] for side in self.sides)
        self.spans = nn.ModuleList(map(Span, sizes.channels, LEVELS, outputs))

    def forward(self, picture_B4HW: Tensor, features: Sequence[Tensor], images: Sequence[Tensor]) -> dict[int, Tensor]:
        """side -> (B, the generator's channels there, side, side); features and restored images of the scales."""
        spans = zip(self.sides, self.spans, features, images, strict=True)
        return {side: span(picture_B4HW, feature, image) for side, span, feature, image in spans}
