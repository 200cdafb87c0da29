"""Small encoders and what they are shown, for the tests of this folder."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from stages.methods.mm_invertfill.blocks.modalities import Inputs, one_hot
from stages.methods.mm_invertfill.blocks.network import GuidedEncoder, Seen, Target
from stages.methods.mm_invertfill.blocks.sizes import Sizes

W_DIM = 16
CLOSED = -1e4  # a gate's logit


def encoder(size: int = 64, classes: int = 3, **changes: Any) -> GuidedEncoder:
    """An encoder for a generator of that size, its weights a function of its params; nothing in it begins at 0."""
    torch.manual_seed(0)
    sides = [4 << step for step in range(size.bit_length()) if 4 << step <= size] + [12, 24, 48]
    target = Target(W_DIM, 2 * (size.bit_length() - 2), {side: 5 for side in sides})
    net = GuidedEncoder(Sizes(**{"width": 4, "bottlenecks": 2, **changes}), size, classes, target)
    if net.bridge is not None:
        for span in net.bridge.spans:
            nn.init.normal_(span.leave.weight, std=0.1)
    return net


def shown(size: int = 64, classes: int = 3, count: int = 2) -> Inputs:
    """Random maps with three different holes: the image's in the middle, the edges' on top, the labels' on the left."""
    draw = torch.Generator().manual_seed(1)
    masks = torch.ones(3, count, 1, size, size)
    masks[0, :, :, size // 4 : -size // 4, size // 4 : -size // 4] = 0
    masks[1, :, :, : size // 2] = 0
    masks[2, :, :, :, : size // 2] = 0
    image_BCHW = torch.rand(count, 3, size, size, generator=draw) * 2 - 1
    edges_B1HW = (torch.rand(count, 1, size, size, generator=draw) < 0.2).float()
    labels_BHW = torch.randint(0, max(classes, 1), (count, size, size), generator=draw)
    return Inputs(image_BCHW, masks[0], edges_B1HW, masks[1], one_hot(labels_BHW, classes), masks[2])


def outputs(seen: Seen) -> dict[str, Tensor]:
    """Everything that an encoder says, by name."""
    found = {f"features {side}": map_BCHW for side, map_BCHW in seen.features.items()}
    for number, level in enumerate(seen.restored):
        maps = {"image": level.image_B3hw, "edges": level.edges_B1hw, "labels": level.labels_BChw}
        found |= {f"{name} {number}": map_BCHW for name, map_BCHW in maps.items() if map_BCHW is not None}
    single = {"w": seen.w_BLD, "whole": seen.whole_B3HW}
    return found | {name: value for name, value in single.items() if value is not None}


def row(inputs: Inputs, index: int) -> Inputs:
    """One image's alone."""
    return replace(inputs, **{name: value[index : index + 1] for name, value in vars(inputs).items()})


def random(*shape: int, seed: int = 0) -> Tensor:
    """Gaussian values, a function of shape and seed."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def set_to(layer: nn.Module, weight: float, bias: float) -> None:
    """Gives a layer one value for all its weights, one for all its biases."""
    nn.init.constant_(layer.weight, weight)
    nn.init.constant_(layer.bias, bias)
