"""The multimodal guided encoder: from what is known to styles and maps (paper 002, Fig. 3, Sec. 3.2-3.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from stages.methods.mm_invertfill.blocks.backbone import Backbone
from stages.methods.mm_invertfill.blocks.bottlenecks import bottlenecks
from stages.methods.mm_invertfill.blocks.bridge import PICTURE, Bridge
from stages.methods.mm_invertfill.blocks.decoder import Decoder, Restoration
from stages.methods.mm_invertfill.blocks.modalities import Inputs
from stages.methods.mm_invertfill.blocks.sizes import LEVELS, Sizes
from stages.methods.mm_invertfill.blocks.styles import Styles
from stages.nets.gated_conv import GatedUp2d


@dataclass(frozen=True)
class Target:
    """The generator that is inverted: values of a style, style layers, channels of its maps by their side."""

    w_dim: int
    layers: int
    channels: Mapping[int, int]


@dataclass(frozen=True)
class Seen:
    """What the encoder makes of its inputs.

    restored: at 1/8, 1/4 and 1/2, in this order; w_BLD float32 and features by side (added to the generator's maps;
    none in the space w_plus), or, without inversion, the whole picture in [-1, 1].
    """

    restored: list[Restoration]
    w_BLD: Tensor | None
    features: dict[int, Tensor]
    whole_B3HW: Tensor | None


class Painter(nn.Module):
    """Without inversion the picture's branch is enlarged once more and paints the picture itself (MMT)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.up, self.leave = GatedUp2d(channels, channels), nn.Conv2d(channels, 3, 3, padding=1)

    def forward(self, feature_BChw: Tensor) -> Tensor:
        return torch.tanh(self.leave(self.up(feature_BChw)).float())


class GuidedEncoder(nn.Module):
    """Backbone, bottlenecks, decoder; then what the space asks for: styles, the bridge, or a painter."""

    def __init__(self, sizes: Sizes, size: int, classes: int, target: Target) -> None:
        """For images of `size` and label maps of `classes`; UserError where the size does not fit."""
        super().__init__()
        sizes.check(size, classes)
        branches = sizes.branches(classes)
        self.edges, self.labels = "edges" in branches, "labels" in branches
        inputs = PICTURE + sum(channels + 1 for channels in branches.values())
        self.backbone = Backbone(inputs, sizes.channels)
        self.bottlenecks = bottlenecks(sizes, sizes.channels[0])
        self.decoder = Decoder(sizes, classes)
        maps, sides = 3 + sum(branches.values()), [size // factor for factor in LEVELS]
        inverts, bridged = sizes.space != "none", sizes.space == "f_w_plus"
        self.styles = Styles(sizes, maps, sides, target.w_dim, target.layers) if inverts else None
        self.bridge = Bridge(sizes, size, target.channels) if bridged else None
        self.painter = None if inverts else Painter(sizes.channels[-1])

    def forward(self, inputs: Inputs) -> Seen:
        encoded = self.backbone(inputs.channels(self.edges, self.labels))
        middle_BCHW = self.bottlenecks(encoded.features[0], encoded.gate_BCHW)
        features, restored = self.decoder(middle_BCHW, encoded.features, inputs.known_B1HW)
        w_BLD = None if self.styles is None else self.styles(features, [seen.maps() for seen in restored])
        images = [seen.image_B3hw for seen in restored]
        bridged = {} if self.bridge is None else self.bridge(inputs.picture(), features, images)
        return Seen(restored, w_BLD, bridged, None if self.painter is None else self.painter(features[-1]))

    def begin_at(self, mean_D: Tensor, deviation_D: Tensor) -> None:
        """Lets styles begin about the generator's mean (D,), given its styles' deviation; see `Styles`."""
        if self.styles is not None:
            self.styles.begin_at(mean_D, deviation_D)
