"""A patch discriminator: one judgement for every overlapping patch of an image."""

from __future__ import annotations

from torch import Tensor, nn


class PatchDiscriminator(nn.Module):
    """PatchGAN: strided 4x4 convolutions, batch normalisation, leaky ReLU; logits (B, 1, h, w).

    It is never part of what is sampled, so statistics over a batch cannot reach a completion.
    """

    def __init__(self, channels: int, width: int, layers: int) -> None:
        super().__init__()
        blocks: list[nn.Module] = [nn.Conv2d(channels, width, 4, 2, 1), nn.LeakyReLU(0.2)]
        inner = width
        for layer in range(1, layers + 1):
            outer = width * min(2**layer, 8)
            stride = 2 if layer < layers else 1
            blocks += [nn.Conv2d(inner, outer, 4, stride, 1, bias=False), nn.BatchNorm2d(outer), nn.LeakyReLU(0.2)]
            inner = outer
        self.layers = nn.Sequential(*blocks, nn.Conv2d(inner, 1, 4, 1, 1))

    def forward(self, x_BCHW: Tensor) -> Tensor:
        return self.layers(x_BCHW)
