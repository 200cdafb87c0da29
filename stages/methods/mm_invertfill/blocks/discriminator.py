"""StyleGAN2's residual discriminator (Karras et al. 2020, Fig. 7) and its minibatch deviation (Karras et al. 2018)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from stages.contract import Spec
from stages.methods.mm_invertfill.blocks.generator import FIRST, Sizes, sides
from stages.nets.equalised import GAIN, EqualisedConv2d, EqualisedLinear, leaky
from stages.nets.fir import blur, downsample

GROUP = 4  # pictures whose deviation is one number; StyleGAN2
HALF = 0.5**0.5  # keeps the power of a sum of two


class Halving(nn.Module):
    """Two 3x3 convolutions, the second after a blur at every second place, beside a 1x1 one of the halved map."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = EqualisedConv2d(inputs, inputs, 3, gain=GAIN)
        self.second = EqualisedConv2d(inputs, outputs, 3, stride=2, gain=GAIN * HALF)
        self.skip = EqualisedConv2d(inputs, outputs, 1, bias=False, gain=HALF)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        y_Bchw = leaky(self.second(blur(leaky(self.first(x_BCHW)), 2)))
        return y_Bchw + self.skip(downsample(x_BCHW))


class Discriminator(nn.Module):
    """Pictures (B, 3, size, size) in [-1, 1] -> a logit each, (B, 1)."""

    def __init__(self, sizes: Sizes, spec: Spec) -> None:
        super().__init__()
        falling = sides(spec.size)[::-1]
        last = sizes.channels(FIRST)
        self.from_rgb = EqualisedConv2d(3, sizes.channels(spec.size), 1, gain=GAIN)
        self.blocks = nn.ModuleList(Halving(sizes.channels(side), sizes.channels(side // 2)) for side in falling[:-1])
        self.last = EqualisedConv2d(last + 1, last, 3, gain=GAIN)
        self.dense, self.out = EqualisedLinear(last * FIRST**2, last, gain=GAIN), EqualisedLinear(last, 1)

    def forward(self, image_BCHW: Tensor) -> Tensor:
        x_BCHW = leaky(self.from_rgb(image_BCHW))
        for block in self.blocks:
            x_BCHW = block(x_BCHW)
        x_BCHW = leaky(self.last(torch.cat([x_BCHW, deviation(x_BCHW)], 1)))
        return self.out(leaky(self.dense(x_BCHW.flatten(1))))


def deviation(x_BCHW: Tensor) -> Tensor:
    """The mean standard deviation of neighbours in the batch, GROUP at a time (else all), as one more map (B, 1, H, W).

    It lets a discriminator see that pictures are all alike.
    """
    count = len(x_BCHW)
    group = GROUP if count % GROUP == 0 else count
    x_NGP = x_BCHW.float().reshape(count // group, group, -1)
    mean_N = (x_NGP.var(1, unbiased=False) + 1e-8).sqrt().mean(1)
    map_B111 = mean_N.repeat_interleave(group)[:, None, None, None]
    return map_B111.expand(-1, 1, *x_BCHW.shape[2:]).to(x_BCHW.dtype)
