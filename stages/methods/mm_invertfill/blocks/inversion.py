"""Encoder and frozen generator in one: what is known, seen; what is seen, painted (paper 002, eq. 5 and 6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from stages.contract import Guidance
from stages.methods.mm_invertfill.blocks.generator import Generator
from stages.methods.mm_invertfill.blocks.modalities import Inputs
from stages.methods.mm_invertfill.blocks.network import GuidedEncoder, Seen


@dataclass(frozen=True)
class Inverter:
    """An encoder and the generator that it inverts."""

    encoder: GuidedEncoder
    generator: Generator
    classes: int

    def see(self, image_BCHW: Tensor, known_B1HW: Tensor, guidance: Guidance | None) -> Seen:
        """What the encoder makes of masked images and what guides them."""
        return self.encoder(Inputs.guided(image_BCHW, known_B1HW, guidance, self.classes))

    def paint(self, seen: Seen, noise: Sequence[Tensor]) -> Tensor:
        """The raw pictures, about [-1, 1]; without inversion they are the encoder's own."""
        if seen.w_BLD is None:
            assert seen.whole_B3HW is not None
            return seen.whole_B3HW
        return self.generator(seen.w_BLD, noise, seen.features)

    def noise(self, count: int) -> list[Tensor]:
        """Of `count` pictures, from torch's generator."""
        return self.generator.noise(count, self.generator.constant.device)


def with_edges(raw_BCHW: Tensor, seen: Seen) -> Tensor:
    """Pictures and the edges predicted beside them, where there are any: what a discriminator judges (eq. 7)."""
    logits_B1hw = seen.restored[-1].edges_B1hw
    if logits_B1hw is None:
        return raw_BCHW
    edges_B1HW = F.interpolate(torch.sigmoid(logits_B1hw), size=raw_BCHW.shape[-2:])
    return torch.cat([raw_BCHW, edges_B1HW], 1)
