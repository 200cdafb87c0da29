"""Maps of torchvision's networks at several depths, for losses that compare features.

vgg: the outputs of pool1, pool2 and pool3, as Liu et al. 2018 have it, at 1/2, 1/4 and 1/8 of the image's side. alex
and squeeze: the first three layers that LPIPS reads, after their ReLU, at 1/4, 1/8 and 1/16, and 1/2, 1/4 and 1/8:
nearer to vgg's sizes than their pools are. No number of a paper is theirs.
resnet50_seg: the outputs of the four stages, at 1/4 and thrice 1/8, of the dilated ResNet-50 in torchvision's FCN, for
the loss of high receptive field (paper 002, eq. 7). It was trained to segment COCO by VOC's classes; the paper's, on
ADE20K, is published without a digest, and no file is used without one.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from stages.metrics.core.backbones import MEAN, STD
from stages.metrics.core.lpips_network import BACKBONES
from stages.project import weights

SEGMENTER = "resnet50_seg"
NETWORKS = {**BACKBONES, SEGMENTER: "fcn_resnet50"}  # whose weights each net has, a key of `weights.TABLE`
ENDS = {"alex": (2, 5, 8), "squeeze": (2, 5, 8), "vgg": (5, 10, 17), SEGMENTER: (5, 6, 7, 8)}  # layers up to each map
DILATED = [False, True, True]  # what the last two stages do instead of halving; as torchvision's segmenters are built
LEAST = {"alex": 31, "squeeze": 9, "vgg": 8, SEGMENTER: 1}  # pixels a side: below, a layer has nothing left


class ClassifierMaps(nn.Module):
    """Images in [-1, 1], (B, 3, H, W) -> maps (B, C, h, w), the finest first; differentiable, itself frozen.

    Images are brought to [0, 1] and normalised by ImageNet's mean and deviation, as the networks were trained.
    """

    mean_C11: Tensor
    std_C11: Tensor

    def __init__(self, net: str, tensors: Mapping[str, Tensor]) -> None:
        super().__init__()
        layers = _layers(net)[: ENDS[net][-1]]
        own = {key: tensors[f"{weights.TABLE[NETWORKS[net]].layers}{key}"] for key in layers.state_dict()}
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
    """The network's layers in turn, without weights, named as in its file."""
    from torchvision import models  # here: it takes seconds, and most metrics do without it

    build = {"alex": models.alexnet, "squeeze": models.squeezenet1_1, "vgg": models.vgg16}
    with torch.device("meta"):  # vgg's linear layers, half a GiB, are never made
        if net == SEGMENTER:
            return nn.Sequential(OrderedDict(models.resnet50(replace_stride_with_dilation=DILATED).named_children()))
        return build[net](weights=None).features


def maps(net: str) -> ClassifierMaps | None:
    """The maps of `net` (a key of NETWORKS), on the CPU; None where its weights cannot be had (`weights.why`)."""
    tensors = weights.features(NETWORKS[net])
    return None if tensors is None else ClassifierMaps(net, tensors)
