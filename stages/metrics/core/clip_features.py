"""CLIP's image network ViT-B/32 (Radford et al. 2021), as torch-fidelity reads it: the embedding that texts share."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from stages.images.pixels import to_uint8
from stages.metrics.core.contract import AbsentError
from stages.project import weights


class ClipFeatures(nn.Module):
    """Images in [-1, 1] -> features (B, 512)."""

    def __init__(self) -> None:
        super().__init__()
        path = weights.find("clip")
        if path is None:
            raise AbsentError(weights.why("clip"))
        # here: it takes seconds, and most metrics do without it
        from torch_fidelity.feature_extractor_clip import FeatureExtractorCLIP

        with torch.random.fork_rng(devices=[]):
            self.net = FeatureExtractorCLIP("clip-vit-b-32", ["clip"], feature_extractor_weights_path=str(path))
        self.requires_grad_(False).eval()

    def forward(self, image_BCHW: Tensor) -> Tensor:
        return self.net(to_uint8(image_BCHW).permute(0, 3, 1, 2))[0]
