"""From maps to style vectors: map2style, map2structure and pre-modulation (paper 002, Sec. 3.3, eq. 4).

Axes: D a style vector's values, L the generator's style layers; w_BLD is float32.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stages.methods.mm_invertfill.blocks.sizes import Sizes
from stages.nets.precision import full_precision

SLOPE = 0.01  # of leaky ReLUs; pSp
SPLIT = (3, 7)  # the first middle and the first fine style layer; pSp
NEAR = 0.5  # of the generator's own deviation: how far from its mean style an untrained encoder's styles lie; ours
SMALL = 0.1  # of what structure vectors add to that at first; ours


def level_of(layers: int) -> list[int]:
    """Of each style layer, its level: 0 coarse (layers 0-2), 1 middle (3-6), 2 fine; thirds of 7 or fewer."""
    first, second = SPLIT if layers > SPLIT[1] else (-(-layers // 3), -(-2 * layers // 3))
    return [0] * first + [1] * (second - first) + [2] * (layers - second)


class MapToVector(nn.Module):
    """A map (B, inputs, side, side) to a vector (B, width) float32: 3x3 convolutions halve it down to a cell (pSp)."""

    def __init__(self, inputs: int, side: int, width: int) -> None:
        super().__init__()
        widths = [inputs, *[width] * (side - 1).bit_length()]  # a halving rounds up
        convs = [nn.Conv2d(here, there, 3, 2, 1) for here, there in pairwise(widths)]
        for conv in convs:
            nn.init.kaiming_normal_(conv.weight, SLOPE)
        self.layers = nn.Sequential(*(layer for conv in convs for layer in (conv, nn.LeakyReLU(SLOPE))))
        self.last = nn.Linear(width, width)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        x_BC = self.layers(x_BCHW).flatten(1)
        with full_precision(x_BC):
            return self.last(x_BC.float())

    @torch.no_grad()
    def begin_at(self, mean_D: Tensor, deviation_D: Tensor) -> None:
        """Vectors that begin about the mean."""
        nn.init.normal_(self.last.weight, std=self.last.in_features**-0.5)
        self.last.weight.mul_(NEAR * deviation_D[:, None])
        self.last.bias.copy_(mean_D)


class Premodulation(nn.Module):
    """w' = gamma(s) * IN(w) + beta(s), two layers, of one style vector (eq. 4)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(width, width), nn.Linear(width, 2 * width)

    def forward(self, w_BD: Tensor, s_BD: Tensor) -> Tensor:
        gamma_BD, beta_BD = self.second(F.leaky_relu(self.first(s_BD), SLOPE)).chunk(2, 1)
        return torch.addcmul(beta_BD, gamma_BD, F.layer_norm(w_BD, w_BD.shape[1:]))

    @torch.no_grad()
    def begin_at(self, mean_D: Tensor, deviation_D: Tensor) -> None:
        """beta begins at the mean, gamma at what takes unit variance near to the generator's own."""
        nn.init.normal_(self.second.weight, std=SMALL * self.second.in_features**-0.5)
        self.second.weight.mul_(deviation_D.repeat(2)[:, None])
        self.second.bias.copy_(torch.cat([NEAR * deviation_D, mean_D]))


class Styles(nn.Module):
    """w'_BLD of the three scales' features and of what was restored there.

    A head for every level, whose vector all layers of the level share before pre-modulation (the paper's), or one for
    every layer (pSp's).
    """

    def __init__(self, sizes: Sizes, maps: int, sides: Sequence[int], width: int, layers: int) -> None:
        """`maps`: channels of a restoration; `sides` of the scales; `width` and `layers` of the generator's styles."""
        super().__init__()
        self.levels = level_of(layers)
        self.heads_at = self.levels if sizes.style_heads == "layers" else list(range(len(sides)))
        self.heads = nn.ModuleList(MapToVector(sizes.channels[at], sides[at], width) for at in self.heads_at)
        structures = (MapToVector(maps, side, width) for side in sides)
        self.structures = nn.ModuleList(structures if sizes.premodulation else ())
        self.premodulations = nn.ModuleList(Premodulation(width) for _ in range(layers if sizes.premodulation else 0))

    def forward(self, features: Sequence[Tensor], restored: Sequence[Tensor]) -> Tensor:
        """Both of the scales, the coarsest first; `restored` as `Restoration.maps` gives them."""
        vectors = [head(features[at]) for head, at in zip(self.heads, self.heads_at, strict=True)]
        w = vectors if len(vectors) == len(self.levels) else [vectors[at] for at in self.levels]
        if self.premodulations:
            s = [net(map_BCHW) for net, map_BCHW in zip(self.structures, restored, strict=True)]
            with full_precision(w[0]):
                w = [net(w[i], s[self.levels[i]]) for i, net in enumerate(self.premodulations)]
        return torch.stack(w, 1)

    def begin_at(self, mean_D: Tensor, deviation_D: Tensor) -> None:
        """Lets styles begin about the generator's mean (ours): elsewhere it paints nothing to learn from.

        They begin NEAR to it, measured by `deviation_D`, that of the generator's own styles; training is free to leave.
        """
        for net in self.premodulations or self.heads:
            assert isinstance(net, MapToVector | Premodulation)
            net.begin_at(mean_D, deviation_D)
