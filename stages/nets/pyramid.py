"""The two halves of the VQGAN autoencoder: an encoder of any kind of convolution, and its generator.

Both begin and end with a stem: at 1 a 3x3 convolution at full size (the paper), at r > 1 blocks of r x r pixels are
folded into channels, so that nothing runs at full size (what a CPU can train). They scale by r * 2^(levels - 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stages.nets.attention import SpatialAttention
from stages.nets.masked_norm import MaskedNorm, Normalisation
from stages.nets.partial_conv import Convolution, PlainConv2d
from stages.nets.residual import ResidualBlock


@dataclass(frozen=True)
class Shape:
    """Sizes of a pyramid: channels = width * multiplier a level; attention at the feature sizes named."""

    size: int
    width: int
    multipliers: tuple[int, ...]
    blocks: int
    attention: tuple[int, ...]
    stem: int
    normalisation: Normalisation

    @property
    def channels(self) -> tuple[int, ...]:
        """Channels of each level, the finest first."""
        return tuple(self.width * multiplier for multiplier in self.multipliers)

    @property
    def factor(self) -> int:
        """Pixels a cell, along a side."""
        return self.stem * 2 ** (len(self.multipliers) - 1)

    def at(self, level: int) -> int:
        """The features' size at a level, the finest being 0."""
        return self.size // (self.stem * 2**level)


class Stack(nn.Module):
    """Layers called in turn as `layer(x_BCHW, known_B1HW) -> (x_BCHW, known_B1HW)`."""

    def __init__(self, layers: Sequence[nn.Module]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, x_BCHW: Tensor, known_B1HW: Tensor | None) -> tuple[Tensor, Tensor | None]:
        for layer in self.layers:
            x_BCHW, known_B1HW = layer(x_BCHW, known_B1HW)
        return x_BCHW, known_B1HW


class Encoder(nn.Module):
    """Pixels (size x size) to features of `outputs` channels at 1/factor, and which of their cells are known."""

    def __init__(self, shape: Shape, inputs: int, outputs: int, conv: Convolution) -> None:
        super().__init__()
        kernel = 3 if shape.stem == 1 else shape.stem
        self.stem = conv(inputs, shape.width, kernel, shape.stem)
        self.body = Stack([*_descent(shape, conv), *_middle(shape, conv)])
        self.norm = MaskedNorm(shape.channels[-1], shape.normalisation)
        self.head = conv(shape.channels[-1], outputs, 3)

    def forward(self, x_BCHW: Tensor, known_B1HW: Tensor | None) -> tuple[Tensor, Tensor | None]:
        x_BCHW, known_B1HW = self.body(*self.stem(x_BCHW, known_B1HW))
        return self.head(F.silu(self.norm(x_BCHW, known_B1HW)), known_B1HW)


class Generator(nn.Module):
    """Features of `inputs` channels at 1/factor to pixels; one residual block more a level than the encoder."""

    def __init__(self, shape: Shape, inputs: int, outputs: int = 3) -> None:
        super().__init__()
        self.stem = PlainConv2d(inputs, shape.channels[-1], 3)
        self.body = Stack([*_middle(shape, PlainConv2d), *_ascent(shape)])
        self.norm = MaskedNorm(shape.channels[0], shape.normalisation)
        self.head = alike(nn.Conv2d(shape.channels[0], outputs * shape.stem**2, 3, padding=1), outputs)
        self.unfold = nn.PixelShuffle(shape.stem)

    def forward(self, z_BDHW: Tensor) -> Tensor:
        x_BCHW, _ = self.body(*self.stem(z_BDHW, None))
        return self.unfold(self.head(F.silu(self.norm(x_BCHW, None))))


@torch.no_grad()
def alike(head: nn.Conv2d, outputs: int) -> nn.Conv2d:
    """The head before a pixel shuffle with one start for all pixels of a block: no checkerboard has to be unlearnt.

    Aitken et al. 2017, "Checkerboard artifact free sub-pixel convolution".
    """
    for parameter in head.parameters():
        blocks = parameter.unflatten(0, (outputs, -1))
        blocks.copy_(blocks[:, :1].clone().expand_as(blocks))
    return head


class Upsample(nn.Module):
    """Nearest neighbour x2, then a 3x3 convolution."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = PlainConv2d(channels, channels, 3)

    def forward(self, x_BCHW: Tensor, known_B1HW: None) -> tuple[Tensor, None]:
        return self.conv(F.interpolate(x_BCHW, scale_factor=2.0), known_B1HW)


def _descent(shape: Shape, conv: Convolution) -> list[nn.Module]:
    layers: list[nn.Module] = []
    width = shape.width
    for level, channels in enumerate(shape.channels):
        for _ in range(shape.blocks):
            layers += _block(shape, level, width, channels, conv)
            width = channels
        if level + 1 < len(shape.channels):
            layers.append(conv(channels, channels, 3, 2))
    return layers


def _ascent(shape: Shape) -> list[nn.Module]:
    layers: list[nn.Module] = []
    width = shape.channels[-1]
    for level, channels in reversed(list(enumerate(shape.channels))):
        for _ in range(shape.blocks + 1):
            layers += _block(shape, level, width, channels, PlainConv2d)
            width = channels
        if level > 0:
            layers.append(Upsample(channels))
    return layers


def _block(shape: Shape, level: int, inputs: int, outputs: int, conv: Convolution) -> list[nn.Module]:
    block: list[nn.Module] = [ResidualBlock(inputs, outputs, conv, shape.normalisation)]
    return [*block, SpatialAttention(outputs, shape.normalisation)] if shape.at(level) in shape.attention else block


def _middle(shape: Shape, conv: Convolution) -> list[nn.Module]:
    channels, normalisation = shape.channels[-1], shape.normalisation
    return [
        ResidualBlock(channels, channels, conv, normalisation),
        SpatialAttention(channels, normalisation),
        ResidualBlock(channels, channels, conv, normalisation),
    ]
