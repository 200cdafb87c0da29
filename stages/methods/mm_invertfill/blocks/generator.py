"""StyleGAN2's generator: latents mapped to styles, a picture grown from 4 x 4 by modulated convolutions.

Built after Karras et al. 2019 (StyleGAN) and 2020 (StyleGAN2, Fig. 2 and 7: output skips) from their texts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from pydantic import Field
from torch import Tensor, nn

from stages.contract import Params, Spec, Trained, UserError
from stages.nets.equalised import GAIN, EqualisedLinear, leaky
from stages.nets.fir import upsample
from stages.nets.modulated_conv import ModulatedConv2d
from stages.nets.precision import full_precision

FIRST = 4  # the constant's side
EPS = 1e-8


class Sizes(Params):
    """The generator's widths; StyleGAN2's configuration F by default."""

    base: int = Field(default=32768, ge=1)  # channels times the map's side; StyleGAN2, config F
    most: int = Field(default=512, ge=1)  # channels at most; StyleGAN2
    latent: int = Field(default=512, ge=1)  # of z and w; StyleGAN2
    mapping_layers: int = Field(default=8, ge=1)  # StyleGAN2
    noise_rate: float = Field(default=1.0, ge=0)  # of noise strengths, over the rest; StyleGAN2: 1

    def channels(self, side: int) -> int:
        """Of maps of that side."""
        return max(1, min(self.most, self.base // side))


def sides(size: int) -> list[int]:
    """4, 8 ... size; UserError where no doubling of 4 ends at size."""
    found = [FIRST << step for step in range(size.bit_length()) if FIRST << step <= size]
    if not found or found[-1] != size:
        raise UserError(
            f"datasets: size {size}: this generator's pictures are 4, 8, 16, 32 ... pixels a side; choose one"
        )
    return found


class MappingNetwork(nn.Module):
    """z (R, D), brought to unit power, to w (R, D) by layers that learn at a hundredth of the rate."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            EqualisedLinear(sizes.latent, sizes.latent, rate=0.01, gain=GAIN) for _ in range(sizes.mapping_layers)
        )

    def forward(self, z_RD: Tensor) -> Tensor:
        with full_precision(z_RD):
            w_RD = z_RD.float() * torch.rsqrt(z_RD.float().square().mean(1, keepdim=True) + EPS)
            for layer in self.layers:
                w_RD = leaky(layer(w_RD))
        return w_RD


class StyledConv(nn.Module):
    """A 3x3 modulated convolution, noise of a learnt strength, bias, leaky ReLU."""

    def __init__(self, inputs: int, outputs: int, sizes: Sizes, up: bool) -> None:
        super().__init__()
        self.conv = ModulatedConv2d(inputs, outputs, 3, sizes.latent, up=up)
        self.rate = sizes.noise_rate
        self.strength, self.bias = nn.Parameter(torch.zeros(())), nn.Parameter(torch.zeros(outputs))

    def forward(self, x_BCHW: Tensor, w_BD: Tensor, noise_B1HW: Tensor) -> Tensor:
        y_BCHW = self.conv(x_BCHW, w_BD, GAIN)
        added_BCHW = GAIN * (self.rate * self.strength * noise_B1HW + self.bias[:, None, None])
        return leaky(y_BCHW + added_BCHW.to(y_BCHW.dtype))


class ToRGB(nn.Module):
    """A map's share of the picture: a 1x1 modulated convolution without demodulation."""

    def __init__(self, inputs: int, latent: int) -> None:
        super().__init__()
        self.conv = ModulatedConv2d(inputs, 3, 1, latent, demodulate=False)
        self.bias = nn.Parameter(torch.zeros(3))

    def forward(self, x_BCHW: Tensor, w_BD: Tensor) -> Tensor:
        return self.conv(x_BCHW, w_BD).float() + self.bias[:, None, None]


class Block(nn.Module):
    """All layers of one side: the doubling (not of the first), a further convolution, the share of the picture."""

    def __init__(self, sizes: Sizes, side: int) -> None:
        super().__init__()
        outputs = sizes.channels(side)
        convs = [StyledConv(outputs, outputs, sizes, up=False)]
        if side > FIRST:
            convs.insert(0, StyledConv(sizes.channels(side // 2), outputs, sizes, up=True))
        self.convs = nn.ModuleList(convs)
        self.to_rgb = ToRGB(outputs, sizes.latent)


class Generator(nn.Module):
    """Mapping and synthesis. Style layers L = 2 log2(size) - 2: a convolution each, and the picture's last share."""

    def __init__(self, sizes: Sizes, spec: Spec) -> None:
        super().__init__()
        self.sides = sides(spec.size)
        self.channels = {side: sizes.channels(side) for side in self.sides}
        self.latent, self.layers = sizes.latent, 2 * len(self.sides)
        self.mapping = MappingNetwork(sizes)
        self.constant = nn.Parameter(torch.randn(1, self.channels[FIRST], FIRST, FIRST))
        self.blocks = nn.ModuleList(Block(sizes, side) for side in self.sides)

    def forward(self, w_BLD: Tensor, noise: Sequence[Tensor], added: Mapping[int, Tensor] | None = None) -> Tensor:
        """Pictures (B, 3, size, size), float32, about [-1, 1], of styles (a layer each), noise (`noise_sides`).

        `added`: side -> maps (B, channels[side], side, side) summed to the generator's own before its picture's share
        and the next doubling (the F of paper 002, eq. 6).
        """
        assert not added or added.keys() <= set(self.sides), f"maps of sides {sorted(added)}, not of {self.sides}"
        x_BCHW, image_B3HW, layer = self.constant.expand(len(w_BLD), -1, -1, -1), None, 0
        for side, block in zip(self.sides, self.blocks, strict=True):
            for conv in block.convs:  # type: ignore[union-attr]
                x_BCHW = conv(x_BCHW, w_BLD[:, layer], noise[layer])
                layer += 1
            if added and side in added:
                x_BCHW = x_BCHW + added[side].to(x_BCHW.dtype)
            share_B3HW = block.to_rgb(x_BCHW, w_BLD[:, layer])  # type: ignore[operator]  # the style of the next doubling, as StyleGAN2 has it
            image_B3HW = share_B3HW if image_B3HW is None else upsample(image_B3HW) + share_B3HW
        assert image_B3HW is not None
        return image_B3HW

    @property
    def noise_sides(self) -> list[int]:
        """The side of each convolution's noise map, in order."""
        return [side for side, block in zip(self.sides, self.blocks, strict=True) for _ in block.convs]  # type: ignore[union-attr]

    def noise(self, count: int, device: torch.device) -> list[Tensor]:
        """Noise maps of `count` pictures from torch's generator, for training."""
        return [torch.randn(count, 1, side, side, device=device) for side in self.noise_sides]

    def seeded_noise(self, owners: Sequence[torch.Generator]) -> list[Tensor]:
        """Noise maps on the CPU, a picture's from its own generator alone."""
        return [
            torch.stack([torch.randn(1, side, side, generator=owner) for owner in owners]) for side in self.noise_sides
        ]

    def broadcast(self, w_RD: Tensor) -> Tensor:
        """One w for every layer: (R, L, D)."""
        return w_RD[:, None].expand(-1, self.layers, -1)


def restore(trained: Trained) -> Generator:
    """The released generator, frozen, on the CPU."""
    own = {key: value for key, value in trained.params.items() if key in Sizes.model_fields}
    model = Generator(Sizes.model_validate(own), trained.spec)
    model.load_state_dict(dict(trained.tensors))
    return model.eval().requires_grad_(False)


@torch.no_grad()
def mean_style(model: Generator, count: int, draw: torch.Generator) -> Tensor:
    """The mean w of `count` latents drawn on the CPU, (D,)."""
    z_RD = torch.randn(count, model.latent, generator=draw)
    return model.mapping(z_RD.to(model.constant.device)).mean(0)
