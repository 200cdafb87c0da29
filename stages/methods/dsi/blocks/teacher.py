"""The frozen VQ-VAE that tells the other parts the true structure, and judges completions (paper 001, Sec. 3.2-3.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor

from stages.contract import Accelerator, Trained
from stages.methods.dsi import vq
from stages.methods.dsi.blocks.autoencoder import Autoencoder, Encoded


class Teacher:
    """The vq; never learns, but lets a gradient through to what it is shown."""

    def __init__(self, parents: Mapping[str, Trained], accelerator: Accelerator) -> None:
        self.params = vq.Params.model_validate(parents["vq"].params)
        self.net = cast(Autoencoder, accelerator.prepare(vq.restore(parents["vq"])))
        self.accelerator = accelerator

    @torch.no_grad()
    def codes(self, image_BCHW: Tensor) -> Tensor:
        """Structure codes of whole images (B, H, W), in the precision of training."""
        with self.accelerator.autocast():
            return self.net.structure_codes(image_BCHW)

    @torch.no_grad()
    def exact_codes(self, image_BCHW: Tensor) -> Tensor:
        """The same in float32 throughout, for figures."""
        return self.net.structure_codes(image_BCHW)

    @torch.no_grad()
    def vectors(self, codes_BHW: Tensor) -> Tensor:
        """The structure's code vectors as a feature map, (B, D, H, W)."""
        return self.net.structure_codebook.look_up(codes_BHW)

    def encode(self, image_BCHW: Tensor) -> Encoded:
        """Features and codes of both levels, in the precision of training."""
        with self.accelerator.autocast():
            return self.net.encode(image_BCHW)
