"""The decoding networks: features of the visible image coupled with code vectors (paper 000, Sec. 3.3), refinement.

Axes: D a code's channels; H W are pixels of images and cells of features.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from stages.images.pixels import blank, composite
from stages.nets.partial_conv import PartialConv2d, PlainConv2d
from stages.nets.pyramid import Encoder, Generator, Shape


class Composer(nn.Module):
    """E_prt and G, and where asked for a second autoencoder that refines the composite (as released)."""

    def __init__(
        self, shape: Shape, generated: Shape, channels: int, encoder: Literal["partial", "concat"], refine: bool
    ) -> None:
        """`shape` is that of E_prt and the refinement, `generated` that of G."""
        super().__init__()
        self.partial = encoder == "partial"
        conv, inputs = (PartialConv2d, 3) if self.partial else (PlainConv2d, 4)
        self.encoder = Encoder(shape, inputs, channels, conv)
        self.from_code = nn.Conv2d(channels, channels, 1)
        self.generator = Generator(generated, channels)
        self.refiner = Refiner(shape, channels) if refine else None

    def features(self, image_BCHW: Tensor, known_B1HW: Tensor) -> Tensor:
        """E_prt(X_M), (B, D, H, W): what the visible pixels say, also of cells beside them."""
        x_BCHW = blank(image_BCHW, known_B1HW)
        if self.partial:
            return self.encoder(x_BCHW, known_B1HW)[0]
        return self.encoder(torch.cat([known_B1HW - 0.5, x_BCHW], 1), None)[0]

    def compose(self, features_BDHW: Tensor, z_BDHW: Tensor, cells_B1HW: Tensor) -> Tensor:
        """Equations 7-8: hidden cells are the mean of codes and features, visible ones the features; then G."""
        coupled_BDHW = (1 - cells_B1HW) * (z_BDHW + features_BDHW) / 2
        return self.generator(self.from_code(coupled_BDHW + cells_B1HW * features_BDHW))

    def refine(self, raw_BCHW: Tensor, image_BCHW: Tensor, known_B1HW: Tensor) -> Tensor:
        """The refined picture, or the first one where there is no refinement."""
        return raw_BCHW if self.refiner is None else self.refiner(composite(raw_BCHW, image_BCHW, known_B1HW))

    def forward(
        self, image_BCHW: Tensor, known_B1HW: Tensor, z_BDHW: Tensor, cells_B1HW: Tensor
    ) -> tuple[Tensor, Tensor]:
        """(the first picture, the refined one): X' of equation 8; the same without refinement."""
        raw_BCHW = self.compose(self.features(image_BCHW, known_B1HW), z_BDHW, cells_B1HW)
        return raw_BCHW, self.refine(raw_BCHW, image_BCHW, known_B1HW)


class Refiner(nn.Module):
    """An autoencoder of the vq's form without codes; composite in, whole picture out."""

    def __init__(self, shape: Shape, channels: int) -> None:
        super().__init__()
        self.encoder, self.generator = Encoder(shape, 3, channels, PlainConv2d), Generator(shape, channels)

    def forward(self, image_BCHW: Tensor) -> Tensor:
        return self.generator(self.encoder(image_BCHW, None)[0])
