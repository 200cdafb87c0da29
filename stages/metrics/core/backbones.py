"""Feature networks of set-level metrics. A number carries its network's name: AlexNet's is never called FID."""

from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stages.metrics.core.batch import EvalBatch
from stages.metrics.core.clip_features import ClipFeatures
from stages.metrics.core.contract import AbsentError
from stages.metrics.core.dinov2_features import DinoV2Features
from stages.metrics.core.inception_features import InceptionFeatures
from stages.project import weights

SMALLEST = 128  # images are brought to at least this size before AlexNet
CHANNELS_LAST = torch.channels_last  # max pooling takes an eighth of the time
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet in [0, 1], as torchvision's AlexNet was trained


class AlexNetFeatures(nn.Module):
    """Images in [-1, 1] -> the last convolution's features (after its ReLU), averaged over space: (B, 256)."""

    mean_C11: Tensor
    std_C11: Tensor

    def __init__(self) -> None:
        super().__init__()
        tensors = weights.features("alexnet")
        if tensors is None:
            raise AbsentError(weights.why("alexnet"))
        from torchvision.models import alexnet  # here: it takes seconds, and most metrics do without it

        with torch.random.fork_rng(devices=[]):
            self.layers = alexnet(weights=None).features[:12]  # up to the fifth convolution and its ReLU
        own = {key.removeprefix("features."): value for key, value in tensors.items()}
        self.layers.load_state_dict(own)
        self.register_buffer("mean_C11", torch.tensor(MEAN)[:, None, None])
        self.register_buffer("std_C11", torch.tensor(STD)[:, None, None])
        self.requires_grad_(False).eval().to(memory_format=CHANNELS_LAST)

    def forward(self, image_BCHW: Tensor) -> Tensor:
        size = [max(SMALLEST, side) for side in image_BCHW.shape[-2:]]
        if size != list(image_BCHW.shape[-2:]):
            image_BCHW = F.interpolate(image_BCHW, size, mode="bilinear", align_corners=False)
        scaled_BCHW = ((image_BCHW + 1.0) / 2.0 - self.mean_C11) / self.std_C11
        return self.layers(scaled_BCHW.contiguous(memory_format=CHANNELS_LAST)).mean(dim=(2, 3))


NETWORKS: dict[str, type[nn.Module]] = {
    "alexnet": AlexNetFeatures,
    "clip": ClipFeatures,
    "dinov2": DinoV2Features,
    "inception": InceptionFeatures,
}


@cache
def backbone(name: str, device: torch.device) -> nn.Module:
    """A feature network on a device, built once a process; AbsentError where its weights cannot be had."""
    if name not in NETWORKS:
        raise AbsentError(f"{name}: no such feature network; there are {', '.join(NETWORKS)}")
    return NETWORKS[name]().to(device)


def completions(batch: EvalBatch, name: str) -> Tensor:
    """Features (B, K, D) of the batch's judged completions: computed once, whichever metrics ask."""
    return batch.features(f"features_{name}", backbone(name, batch.judged_BKCHW.device))
