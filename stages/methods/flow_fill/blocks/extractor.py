"""E_theta: what the flow is told of the masked image (paper 003, Sec. 3.2): DeepFill v2's coarse-to-fine generator.

The paper names neither its widths nor the maps that it takes: both are as in public ports of DeepFill v2 and ours. It
learns by the flow's likelihood (and, where asked for, its draft by an L1 of its own, ours), so the last, image-making
layer of the second pass is left out.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stages.images.pixels import blank, composite
from stages.nets.gated_conv import GatedConv2d, GatedUp2d

INPUTS = 4  # the masked image and where it is known


class Hourglass(nn.Module):
    """One pass: down to a quarter, dilated convolutions, up again; the maps of all five stages are given."""

    def __init__(self, inputs: int, width: int, dilations: Sequence[int], kernel: int) -> None:
        super().__init__()
        wide = 4 * width
        self.fine = GatedConv2d(inputs, width, kernel)
        self.middle = nn.Sequential(GatedConv2d(width, 2 * width, 4, 2), GatedConv2d(2 * width, 2 * width, 3))
        self.coarse = nn.Sequential(
            GatedConv2d(2 * width, wide, 4, 2),
            GatedConv2d(wide, wide, 3),
            *(GatedConv2d(wide, wide, 3, dilation=dilation) for dilation in dilations),
            GatedConv2d(wide, wide, 3),
        )
        self.to_middle, self.at_middle = GatedUp2d(wide, 2 * width), GatedConv2d(2 * width, 2 * width, 3)
        self.to_fine = GatedUp2d(2 * width, width)
        self.channels = width + 2 * width + wide + 2 * width + width

    def forward(self, x_BCHW: Tensor) -> list[Tensor]:
        fine_BCHW = self.fine(x_BCHW)
        middle_BCHW = self.middle(fine_BCHW)
        coarse_BCHW = self.coarse(middle_BCHW)
        again_BCHW = self.at_middle(self.to_middle(coarse_BCHW, middle_BCHW.shape[-1]))
        return [fine_BCHW, middle_BCHW, coarse_BCHW, again_BCHW, self.to_fine(again_BCHW, fine_BCHW.shape[-1])]


class Extractor(nn.Module):
    """(masked image, known) at the stage-1 size -> ft: `outputs` channels at each level's resolution.

    At a stem of r, blocks of r x r pixels are folded into channels, so that nothing runs at full size; 1 is DeepFill.
    ft has the inputs themselves, too; `tells_draft`: the first pass's draft where the masked image would be blank.
    """

    def __init__(
        self, width: int, dilations: Sequence[int], stem: int, levels: int, outputs: int, *, tells_draft: bool
    ) -> None:
        super().__init__()
        inputs, kernel = INPUTS * stem**2, 7 if stem == 1 else 3
        self.stem, self.levels, self.tells_draft = stem, levels, tells_draft
        self.first = Hourglass(inputs, width, dilations, kernel)
        self.to_image = nn.Conv2d(width, 3 * stem**2, kernel, padding=kernel // 2)
        self.second = Hourglass(inputs, width, dilations, kernel)
        given = [INPUTS * 4 ** (level + 1) for level in range(levels)]  # the inputs, squeezed as the flow's are
        self.select = nn.ModuleList(nn.Conv2d(self.second.channels + extra, outputs, 1) for extra in given)

    def forward(self, image_BCHW: Tensor, known_B1HW: Tensor) -> tuple[list[Tensor], Tensor]:
        """(ft, the draft in [-1, 1] with known pixels put back)."""
        image_BCHW = blank(image_BCHW, known_B1HW)
        draft_BCHW = F.pixel_shuffle(self.to_image(self._pass(self.first, image_BCHW, known_B1HW)[-1]), self.stem)
        filled_BCHW = composite(torch.tanh(draft_BCHW).to(image_BCHW.dtype), image_BCHW, known_B1HW)
        maps = self._pass(self.second, filled_BCHW, known_B1HW)
        given_BCHW = torch.cat([filled_BCHW if self.tells_draft else image_BCHW, known_B1HW], 1)
        ft = [select(_gathered(maps, given_BCHW, 2 ** (n + 1))) for n, select in enumerate(self.select)]
        return ft, filled_BCHW

    def _pass(self, hourglass: nn.Module, image_BCHW: Tensor, known_B1HW: Tensor) -> list[Tensor]:
        return hourglass(F.pixel_unshuffle(torch.cat([image_BCHW, known_B1HW], 1), self.stem))


def _gathered(maps: Sequence[Tensor], given_BCHW: Tensor, factor: int) -> Tensor:
    """The maps and the inputs themselves at 1/factor of the inputs' size."""
    side = given_BCHW.shape[-1] // factor
    folded_BCHW = F.pixel_unshuffle(given_BCHW, factor)
    return torch.cat([folded_BCHW, *(_resized(x_BCHW, side).to(folded_BCHW.dtype) for x_BCHW in maps)], 1)


def _resized(x_BCHW: Tensor, side: int) -> Tensor:
    """A map of side x side: by its areas' means where it shrinks, by its nearest cells where it grows."""
    return F.adaptive_avg_pool2d(x_BCHW, side) if side < x_BCHW.shape[-1] else F.interpolate(x_BCHW, size=side)
