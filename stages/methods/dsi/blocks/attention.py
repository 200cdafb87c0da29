"""Structural attention: textures borrowed from where the structure is alike (paper 001, Sec. 3.3, eq. 5-7).

Axes: D channels of the map that is compared, h w its grid, M = h w queries (x', y'), N = h w keys (x, y).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from stages.contract import Params
from stages.methods.dsi.blocks.similarity import Distance, distances, similarity

NOTHING = 1e-30  # scores below it are 0: sums do not feel them, and a CPU multiplies denormal numbers ten times slower


class AttentionParams(Params):
    """What is compared, and who may be borrowed from; the paper's by default (Table 2 has the others)."""

    features: Literal["structural", "learned"] = "structural"
    scope: Literal["full", "cross"] = "full"  # cross: the hole borrows from known cells, these keep what they have
    distance: Distance = "euclidean"  # paper: d is the Euclidean distance; as released: its square
    fuse: bool = False  # scores smoothed along diagonals, as released (contextual attention's)
    scale: float = Field(default=50.0, gt=0)  # lambda_1; paper eq. 6


def scores(source_BDhw: Tensor, known_B1hw: Tensor, params: AttentionParams) -> Tensor:
    """s*_BMN: what each cell borrows from each (eq. 5-6), from 3 x 3 patches; float32.

    In the scope `cross` only known cells are borrowed from: where there is none, all.
    """
    patches_BND = F.unfold(source_BDhw.float(), 3, padding=1).transpose(1, 2)
    chosen_B1N = _borrowed(known_B1hw) if params.scope == "cross" else None
    close_BMN = similarity(distances(patches_BND, patches_BND, params.distance), chosen_B1N)
    if params.fuse:
        close_BMN = fused(close_BMN, source_BDhw.shape[2:])
    if chosen_B1N is not None:
        close_BMN = close_BMN.masked_fill(~chosen_B1N, -torch.inf)
    return F.threshold((params.scale * close_BMN).softmax(2), NOTHING, 0.0)


def transfer(maps: Sequence[Tensor], score_BMN: Tensor, grid: torch.Size) -> list[Tensor]:
    """q^l of eq. 7: each map made of its own patches, those of a cell of the grid mixed by the cell's scores.

    A patch has the size of a cell in its map, so patches do not overlap; both levels go in one product.
    """
    folded = [F.pixel_unshuffle(x_BCHW, x_BCHW.shape[2] // grid[0]) for x_BCHW in maps]
    values_BNX = torch.cat(folded, 1).flatten(2).transpose(1, 2)
    mixed_BXhw = (score_BMN.to(values_BNX.dtype) @ values_BNX).transpose(1, 2).unflatten(2, grid)
    parts = mixed_BXhw.split([x.shape[1] for x in folded], 1)
    return [F.pixel_shuffle(part, x.shape[2] // grid[0]) for part, x in zip(parts, maps, strict=True)]


def kept_outside(made: Sequence[Tensor], maps: Sequence[Tensor], known_B1hw: Tensor) -> list[Tensor]:
    """The made maps in the hole's cells, the maps as they were in known ones (the scope `cross`)."""
    pairs = zip(made, maps, strict=True)
    return [torch.where(F.interpolate(known_B1hw, size=x.shape[2:]) > 0, x, new.to(x.dtype)) for new, x in pairs]


def known_cells(known_B1HW: Tensor, side: int) -> Tensor:
    """known_B1hw of a grid: 1 where every pixel of a cell is given."""
    return 1 - F.adaptive_max_pool2d(1 - known_B1HW, side)


def fused(close_BMN: Tensor, grid: torch.Size) -> Tensor:
    """Similarities summed along the diagonals of (query, key), first in raster order, then column by column."""
    for _ in range(2):
        close_BMN = _along_diagonals(close_BMN)
        close_BMN = (
            close_BMN.unflatten(2, grid).unflatten(1, grid).transpose(1, 2).transpose(3, 4).flatten(3).flatten(1, 2)
        )
        grid = torch.Size(reversed(grid))
    return close_BMN


def _along_diagonals(close_BMN: Tensor) -> Tensor:
    padded = F.pad(close_BMN, (1, 1, 1, 1))
    return padded[:, :-2, :-2] + close_BMN + padded[:, 2:, 2:]


def _borrowed(known_B1hw: Tensor) -> Tensor:
    known_B1N = known_B1hw.flatten(2) > 0
    return known_B1N | ~known_B1N.any(2, keepdim=True)
