"""The Inception network of 2015 that FID, KID, IS and P-IDS/U-IDS are defined on, as torch-fidelity ported it.

Images are brought to 299 x 299 as TensorFlow 1 did it, inside the network: a torchvision Inception or another resize
gives other numbers (Parmar et al. 2022). The classifier comes apart: logits are `features @ classes.T`, without bias.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from stages.images.pixels import to_uint8
from stages.metrics.core.contract import AbsentError
from stages.project import weights

WIDTH = 2048  # features an image


class InceptionFeatures(nn.Module):
    """Images in [-1, 1] -> the pooled features before the classifier, (B, 2048).

    `classes_MD`, (1008, 2048), is the classifier's weight; its bias is left out by definition of IS.
    """

    classes_MD: Tensor

    def __init__(self) -> None:
        super().__init__()
        path = weights.find("inception")
        if path is None:
            raise AbsentError(weights.why("inception"))
        # here: it takes seconds, and most metrics do without it
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

        with torch.random.fork_rng(devices=[]):
            self.net = FeatureExtractorInceptionV3("inception", [str(WIDTH)], feature_extractor_weights_path=str(path))
        self.register_buffer("classes_MD", self.net.fc.weight.detach(), persistent=False)
        self.requires_grad_(False).eval()

    def forward(self, image_BCHW: Tensor) -> Tensor:
        return self.net(to_uint8(image_BCHW).permute(0, 3, 1, 2))[0]
