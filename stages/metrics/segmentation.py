"""`segmentation_deeplabv3`: do completions show the things that their images show?

Mean intersection over union, over the classes that are in either, between what a segmentation network (DeepLabV3 on
MobileNetV3, the 21 classes of PASCAL VOC; Chen et al. 2017) sees in the completion and in the image. 1: the same map.
"""

from collections.abc import Mapping
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stages.contract import UserError
from stages.metrics.core.backbones import MEAN, STD
from stages.metrics.core.batch import EvalBatch
from stages.metrics.core.contract import AbsentError, Better, MetricContext
from stages.metrics.core.label import Label
from stages.project import weights

NAME, WEIGHTS = "segmentation_deeplabv3", "deeplabv3"
NAMES = (NAME,)
BETTER: Better = "higher"
LABELS = {"segmentation": Label("mIoU", "", "overlap of what a segmentation network sees", "fidelity", rank=50)}
DEFAULTS = ()
CLASSES, SIZE = 21, 520  # pixels of the shorter side that the network was trained at


class Segmenter(nn.Module):
    """Images in [-1, 1] -> a class a pixel, (B, H, W), at the size that the network sees."""

    mean_C11: Tensor
    std_C11: Tensor

    def __init__(self) -> None:
        super().__init__()
        path = weights.find(WEIGHTS)
        if path is None:
            raise AbsentError(weights.why(WEIGHTS))
        # here: it takes seconds, and most metrics do without it
        from torchvision.models.segmentation import deeplabv3_mobilenet_v3_large

        with torch.random.fork_rng(devices=[]):
            net = deeplabv3_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=CLASSES, aux_loss=True)
        net.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
        self.net = net
        self.register_buffer("mean_C11", torch.tensor(MEAN)[:, None, None])
        self.register_buffer("std_C11", torch.tensor(STD)[:, None, None])
        self.requires_grad_(False).eval()

    def forward(self, image_BCHW: Tensor) -> Tensor:
        scale = SIZE / min(image_BCHW.shape[-2:])
        size = [round(side * scale) for side in image_BCHW.shape[-2:]]
        large_BCHW = F.interpolate(image_BCHW, size, mode="bilinear", align_corners=False, antialias=True)
        scaled_BCHW = ((large_BCHW + 1.0) / 2.0 - self.mean_C11) / self.std_C11
        return self.net(scaled_BCHW)["out"].argmax(dim=1)


@cache
def segmenter(device: torch.device) -> Segmenter:
    """The network on a device, built once a process; AbsentError where its weights cannot be had."""
    return Segmenter().to(device)


def overlap(one_BHW: Tensor, other_BHW: Tensor, classes: int = CLASSES) -> Tensor:
    """Mean IoU of two class maps, (B,), over the classes that are in either."""
    one_BLHW, other_BLHW = (F.one_hot(m_BHW, classes).bool().movedim(-1, 1) for m_BHW in (one_BHW, other_BHW))
    both_BL = (one_BLHW & other_BLHW).sum(dim=(2, 3)).double()
    either_BL = (one_BLHW | other_BLHW).sum(dim=(2, 3)).double()
    there_BL = either_BL > 0
    return (both_BL / either_BL.clamp_min(1.0)).sum(dim=1) / there_BL.sum(dim=1)


class SegmentationOverlap:
    """One completion an image at a time: class maps are large."""

    def __init__(self, device: torch.device) -> None:
        self.segment = segmenter(device)

    def __call__(self, batch: EvalBatch) -> Mapping[str, Tensor]:
        truth_BHW = self.segment(batch.image_BCHW)
        values = [
            overlap(self.segment(batch.judged_BKCHW[:, k]), truth_BHW) for k in range(batch.judged_BKCHW.shape[1])
        ]
        return {NAME: torch.stack(values, dim=1)}


def needs(name: str) -> str:
    """The weights of the metric."""
    return WEIGHTS


def build(context: MetricContext, name: str) -> SegmentationOverlap:
    """The metric `segmentation_deeplabv3`."""
    if name != NAME:
        raise UserError(f"params: metric {name}: write {NAME}")
    return SegmentationOverlap(context.device)
