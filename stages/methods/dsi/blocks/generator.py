"""The texture generator: a picture from a masked image and its structure (paper 001, Sec. 3.3).

Axes: D a structure code's channels, h w the grid of structure codes, R = B * K rows (K samples an image).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from stages.contract import Params
from stages.images.pixels import blank
from stages.methods.dsi.blocks.attention import AttentionParams, kept_outside, known_cells, scores, transfer
from stages.nets.gated_conv import GatedConv2d, GatedUp2d

INPUTS = 5  # the masked image, ones (they tell the border from a blank), where the hole is


class Sizes(Params):
    """The generator and its attention; the released ones by default."""

    width: int = Field(default=32, ge=1)  # at full size; as released (64, of which a gated convolution keeps half)
    dilations: tuple[int, ...] = (2, 4, 8, 16)  # of the layers at 1/4; as released
    stem: Literal[1, 2] = 1  # pixels along a side folded into channels on entry; 1: none, as released
    attention: AttentionParams = AttentionParams()


@dataclass(frozen=True)
class Seen:
    """What the masked image says, whatever the structure: maps at 1/2 and 1/4, and which cells are known."""

    half_BCHW: Tensor
    quarter_BCHW: Tensor
    known_B1hw: Tensor

    def repeated(self, samples: int) -> Seen:
        """A row for every sample of an image."""
        rows = (x.repeat_interleave(samples, 0) for x in (self.half_BCHW, self.quarter_BCHW, self.known_B1hw))
        return Seen(*rows)


class TextureGenerator(nn.Module):
    """G_t: gated convolutions, every one but the last, without normalisation; the structure enters at 1/4.

    At a stem of 2 blocks of 2 x 2 pixels enter as channels, and the layers that make pixels have half of their width:
    little runs at full size.
    """

    def __init__(self, sizes: Sizes, channels: int) -> None:
        super().__init__()
        self.attention, self.stem, width = sizes.attention, sizes.stem, sizes.width
        half, quarter = 2 * width, 4 * width
        enter = [GatedConv2d(INPUTS, width, 5), GatedConv2d(width, half, 3, 2)]
        folded = [GatedConv2d(4 * INPUTS, half, 3)]
        self.to_half = nn.Sequential(*(enter if sizes.stem == 1 else folded), GatedConv2d(half, half, 3))
        self.to_quarter = GatedConv2d(half, quarter, 3, 2)
        self.structure = nn.Sequential(GatedConv2d(channels, quarter, 3), GatedConv2d(quarter, quarter, 3))
        self.grow = GatedUp2d(quarter, quarter)
        self.middle = nn.Sequential(
            GatedConv2d(2 * quarter, quarter, 3),
            GatedConv2d(quarter, quarter, 3),
            *(GatedConv2d(quarter, quarter, 3, dilation=dilation) for dilation in sizes.dilations),
            GatedConv2d(quarter, quarter, 3),
            GatedConv2d(quarter, quarter, 3),
        )
        self.at_quarter, self.from_quarter = GatedConv2d(2 * quarter, quarter, 3), GatedUp2d(quarter, half)
        last = -(-width // sizes.stem)
        self.at_half, self.from_half = GatedConv2d(2 * half, half, 3), GatedUp2d(half, last)
        self.last, self.leave = GatedConv2d(last, last, 3), nn.Conv2d(last, 3, 3, padding=1)

    def see(self, image_BCHW: Tensor, known_B1HW: Tensor, side: int) -> Seen:
        """What enters from the masked image; hole content cannot. `side`: cells of the structure along a side."""
        masked_BCHW = blank(image_BCHW, known_B1HW)
        given_BCHW = torch.cat([masked_BCHW, torch.ones_like(known_B1HW), 1 - known_B1HW], 1)
        half_BCHW = self.to_half(F.pixel_unshuffle(given_BCHW, self.stem))
        return Seen(half_BCHW, self.to_quarter(half_BCHW), known_cells(known_B1HW, side))

    def compose(self, seen: Seen, s_BDhw: Tensor) -> Tensor:
        """I_out in [-1, 1] from what was seen and a structure; not composited."""
        grown_BCHW = self.grow(self.structure(s_BDhw))
        middle_BCHW = self.middle(torch.cat([seen.quarter_BCHW, grown_BCHW], 1))
        half_BCHW, quarter_BCHW = self._borrow(seen, s_BDhw, middle_BCHW)
        middle_BCHW = self.at_quarter(torch.cat([middle_BCHW, quarter_BCHW], 1))
        fine_BCHW = self.at_half(torch.cat([self.from_quarter(middle_BCHW), half_BCHW], 1))
        return torch.tanh(self.leave(self.last(self.from_half(fine_BCHW))).float())

    def _borrow(self, seen: Seen, s_BDhw: Tensor, middle_BCHW: Tensor) -> list[Tensor]:
        """The skip connections: both maps of the masked image, rebuilt by attention (eq. 7)."""
        maps, grid = (seen.half_BCHW, seen.quarter_BCHW), s_BDhw.shape[2:]
        learned = self.attention.features == "learned"
        source_BDhw = F.adaptive_avg_pool2d(middle_BCHW, (grid[0], grid[1])) if learned else s_BDhw
        made = transfer(maps, scores(source_BDhw, seen.known_B1hw, self.attention), grid)
        return kept_outside(made, maps, seen.known_B1hw) if self.attention.scope == "cross" else made

    def forward(self, image_BCHW: Tensor, known_B1HW: Tensor, s_BDhw: Tensor) -> Tensor:
        """I_out, (B, 3, H, W) in [-1, 1]."""
        return self.compose(self.see(image_BCHW, known_B1HW, s_BDhw.shape[3]), s_BDhw)
