"""Maps of torchvision's classifiers at three depths, for losses that compare features (Liu et al. 2018).

vgg: the outputs of pool1, pool2 and pool3, as the paper has it, at 1/2, 1/4 and 1/8 of the image's side. alex and
squeeze: the first three layers that LPIPS reads, after their ReLU, at 1/4, 1/8 and 1/16, and 1/2, 1/4 and 1/8: nearer
to vgg's sizes than their pools are. No number of the paper is theirs.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from stages.metrics.core.backbones import MEAN, STD
from stages.metrics.core.lpips_network import BACKBONES
from stages.project import weights

ENDS = {"alex": (2, 5, 8), "squeeze": (2, 5, 8), "vgg": (5, 10, 17)}  # the layers of `features` up to each map
LEAST = {"alex": 31, "squeeze": 9, "vgg": 8}  # pixels a side: below, a pooling has nothing left


class ClassifierMaps(nn.Module):
    """Images in [-1, 1], (B, 3, H, W) -> three maps (B, C, h, w), the finest first; differentiable, itself frozen.

    Images are brought to [0, 1] and normalised by ImageNet's mean and deviation, as the classifiers were trained.
    """

    mean_C11: Tensor
    std_C11: Tensor

    def __init__(self, net: str, tensors: Mapping[str, Tensor]) -> None:
        super().__init__()
        layers = _layers(net)[: ENDS[net][-1]]
        own = {key: tensors[f"{weights.BACKBONE}{key}"] for key in layers.state_dict()}
        layers.load_state_dict(own, assign=True)
        starts = (0, *ENDS[net][:-1])
        self.slices = nn.ModuleList(layers[start:end] for start, end in zip(starts, ENDS[net], strict=True))
        self.register_buffer("mean_C11", torch.tensor(MEAN)[:, None, None])
        self.register_buffer("std_C11", torch.tensor(STD)[:, None, None])
        self.requires_grad_(False).eval()

    def forward(self, image_BCHW: Tensor) -> list[Tensor]:
        here_BChw, maps = ((image_BCHW + 1.0) / 2.0 - self.mean_C11) / self.std_C11, []
        for layers in self.slices:
            here_BChw = layers(here_BChw)
            maps.append(here_BChw)
        return maps


def _layers(net: str) -> nn.Sequential:
    """The classifier's convolutional layers, without weights."""
    from torchvision import models  # here: it takes seconds, and most metrics do without it

    build = {"alex": models.alexnet, "squeeze": models.squeezenet1_1, "vgg": models.vgg16}[net]
    with torch.device("meta"):  # vgg's linear layers, half a GiB, are never made
        return build(weights=None).features


def maps(net: str) -> ClassifierMaps | None:
    """The maps of `net` (alex, squeeze, vgg), on the CPU; None where its weights cannot be had (`weights.why`)."""
    tensors = weights.features(BACKBONES[net])
    return None if tensors is None else ClassifierMaps(net, tensors)
