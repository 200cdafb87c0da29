"""The frozen prior at the texture generator's service: true, drawn and slightly disturbed small images (Sec. 3.3)."""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
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
    def disturbed(self, batch: Batch, levels: int) -> Tensor:
        """f^-1(z') in the bands of the `levels` finest levels, whose z is noise; 0: the shrunken truth itself.

        All coarser bands are the truth's: a channel of a finest z is a mixture of bands, low ones too (ours).
        """
        true_Bchw, owners = self.true(batch), generators(batch.seeds_B)
        if levels == 0:
            return true_Bchw
        conditions = self._conditions(batch)
        with exact():
            latents, _ = self.net.encode(dequantised(true_Bchw, self.net.bits, owners), conditions)
            moved_Bchw = self.net.decode(degraded(latents, owners, levels), conditions) - true_Bchw
        return true_Bchw + moved_Bchw - _block_means(moved_Bchw, 2**levels)

    def _conditions(self, batch: Batch) -> list[Tensor]:
        return self.net.conditions(batch.image_BCHW, batch.known_B1HW)


def _block_means(x_BCHW: Tensor, side: int) -> Tensor:
    """The bands below those of `log2(side)` Haar levels: every value the mean of its block of side x side."""
    return F.interpolate(F.avg_pool2d(x_BCHW, side), scale_factor=side)
