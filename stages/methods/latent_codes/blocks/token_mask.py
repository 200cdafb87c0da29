"""From a mask of pixels to a mask of tokens (paper 000, eq. 4), and the geometry that all parts share."""

from __future__ import annotations

from math import isqrt

import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from stages.contract import Params, Spec, UserError
from stages.nets.masked_norm import Kind, Normalisation
from stages.nets.partial_conv import Window, restrict
from stages.nets.pyramid import Shape


class TokenMask(Params):
    """Which tokens are read off the image, and which are left to the prior."""

    alpha: float = Field(default=0.5, ge=0, le=1)  # share of a window that must be seen; paper Sec. 3.1
    window: Window = "stride"  # the 2 x 2 block that a cell covers, as released; "kernel": eq. 4's n x n, off-centre

    def cells(self, known_B1HW: Tensor, stem: int, levels: int) -> Tensor:
        """known_B1hw of the token grid: 1 where a token is read off, the same that a restrictive encoder ends with."""
        if stem > 1:
            known_B1HW = restrict(known_B1HW, stem, stem, self.alpha, self.window)
        for _ in range(levels - 1):
            known_B1HW = restrict(known_B1HW, 3, 2, self.alpha, self.window)
        return known_B1HW


class Sizes(Params):
    """Sizes of an encoder or generator, the paper's (Sec. 6 and VQGAN's f = 16) by default."""

    width: int = 128
    multipliers: tuple[int, ...] = (1, 1, 2, 2, 4)  # one a level: 4 halvings
    blocks: int = 2
    attention: tuple[int, ...] = (32, 16)  # sizes of feature maps; paper Sec. 6 (as released: 16 alone)
    normalisation: Kind = "layer"  # paper Sec. 6 (as released: group)

    def shape(self, spec: Spec, stem: int, masked: bool = True) -> Shape:
        """The pyramid for images of that size; UserError where they do not divide into whole cells."""
        rule = Normalisation(self.normalisation, masked)
        shape = Shape(spec.size, self.width, self.multipliers, self.blocks, self.attention, stem, rule)
        if spec.size % shape.factor:
            raise UserError(
                f"params: images of {spec.size} px do not divide into cells of {shape.factor} px "
                f"(stem {stem} x 2^{len(self.multipliers) - 1}); change stem, multipliers or the dataset's size"
            )
        return shape


def same_grid(part: str, multipliers: tuple[int, ...], vq: tuple[int, ...]) -> None:
    """UserError unless a part has as many levels as the vq whose codes it speaks."""
    if len(multipliers) != len(vq):
        raise UserError(
            f"params: methods.latent_codes.{part}.multipliers has {len(multipliers)} levels and vq's {len(vq)}; "
            "their token grids must agree"
        )


def half_known(known_B1HW: Tensor, cells: int) -> Tensor:
    """Which of so many cells (a square grid) are known to at least a half, in raster order, (B, N) of bool."""
    return F.adaptive_avg_pool2d(known_B1HW.float(), isqrt(cells)).flatten(1) >= 0.5


def near_hole(known_B1HW: Tensor, cells_B1HW: Tensor) -> Tensor:
    """Cells that are read off though a masked pixel lies in the 3 x 3 cells around them, as 0 and 1.

    Three cells a side is what the encoder's last convolution looks at.
    """
    hole_B1HW = F.adaptive_max_pool2d(1 - known_B1HW.float(), cells_B1HW.shape[2:])
    return cells_B1HW * F.max_pool2d(hole_B1HW, 3, 1, 1)


def enlarge(cells_B1HW: Tensor, size: int) -> Tensor:
    """A token mask as a grey picture, B3HW in [-1, 1], white where a token is read off."""
    return (F.interpolate(cells_B1HW.float(), size=size) * 2 - 1).expand(-1, 3, -1, -1)
