"""The frozen prior at the texture generator's service: true, drawn and slightly disturbed small images (Sec. 3.3)."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor

from stages.contract import Accelerator, Batch
from stages.methods.flow_fill.blocks.depth import dequantised
from stages.methods.flow_fill.blocks.noise import degraded, normal
from stages.methods.flow_fill.blocks.structure import Structure, exact
from stages.nets.seeded import generators


class Teacher:
    """The released prior, in float32: its inverse undoes its forward only as exactly as both are computed."""

    def __init__(self, net: Structure, accelerator: Accelerator) -> None:
        self.net = cast(Structure, accelerator.prepare(net))

    def true(self, batch: Batch) -> Tensor:
        """The shrunken truth."""
        return self.net.shrunk(batch.image_BCHW)

    @torch.no_grad()
    def drawn(self, batch: Batch) -> Tensor:
        """A sample an image, at temperature 1, by the image's seed."""
        z = [z_BCHW.to(batch.image_BCHW) for z_BCHW in normal(generators(batch.seeds_B), self.net.latents)]
        with exact():
            return self.net.decode(z, self._conditions(batch))

    @torch.no_grad()
    def disturbed(self, batch: Batch, share: float) -> Tensor:
        """f^-1(z') where z' is the truth's z with a share made noise; 0: the shrunken truth itself."""
        if share == 0:
            return self.true(batch)
        owners = generators(batch.seeds_B)
        conditions = self._conditions(batch)
        with exact():
            latents, _ = self.net.encode(dequantised(self.true(batch), self.net.bits, owners), conditions)
            return self.net.decode(degraded(latents, owners, share), conditions)

    def _conditions(self, batch: Batch) -> list[Tensor]:
        return self.net.conditions(batch.image_BCHW, batch.known_B1HW)
