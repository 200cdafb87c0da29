"""The hierarchical VQ-VAE: structure at 1/8 and texture at 1/4 of an image (paper 001, Sec. 3.1; VQ-VAE-2).

Axes: D a code's channels, K codes; S marks structure and T texture in the names of maps and grids.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from pydantic import Field
from torch import Tensor, nn

from stages.contract import Params, Spec, UserError
from stages.nets.ema_codebook import EmaCodebook
from stages.nets.precision import full_precision
from stages.nets.quantizer import Quantized

FACTOR = 8  # pixels a structure code, along a side; a texture code has half of them


class Sizes(Params):
    """Networks and codebooks; the released ones by default."""

    width: int = Field(default=128, ge=2)
    residual_width: int = Field(default=64, ge=1)
    blocks: int = Field(default=2, ge=0)  # residual ones, in each of the four networks
    codes: int = Field(default=512, ge=2)  # K; paper Sec. 3.1
    channels: int = Field(default=64, ge=1)  # D; paper Sec. 3.1
    codebook_decay: float = Field(default=0.99, ge=0, lt=1)  # as released
    codebook_epsilon: float = Field(default=1e-5, gt=0)  # Laplace smoothing; as released


def grid(spec: Spec) -> int:
    """Structure codes along a side; UserError where images do not divide into them."""
    if spec.size % FACTOR:
        raise UserError(
            f"params: images of {spec.size} px do not divide into structure codes of {FACTOR} px (methods.dsi); "
            "change the dataset's size"
        )
    return spec.size // FACTOR


@dataclass(frozen=True)
class Encoded:
    """What both levels hold before quantisation (s, t) and after it."""

    s_BDHW: Tensor
    t_BDHW: Tensor
    structure: Quantized
    texture: Quantized


class Autoencoder(nn.Module):
    """E_vq, two codebooks and D_vq. The texture's features are conditioned on the quantised structure."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        width, half, channels = sizes.width, sizes.width // 2, sizes.channels
        self.bottom = nn.Sequential(_halve(3, half), _halve(half, width), _conv(width, width), *_residuals(sizes))
        self.top = nn.Sequential(
            _halve(width, half), _conv(half, width), *_residuals(sizes), nn.Conv2d(width, channels, 1)
        )
        self.above = nn.Sequential(
            _conv(channels, width), *_residuals(sizes), nn.ConvTranspose2d(width, width, 4, 2, 1)
        )
        self.to_texture = nn.Conv2d(2 * width, channels, 1)
        codebook = (sizes.codes, channels, sizes.codebook_decay, sizes.codebook_epsilon)
        self.structure_codebook, self.texture_codebook = EmaCodebook(*codebook), EmaCodebook(*codebook)
        self.enlarge = nn.ConvTranspose2d(channels, channels, 4, 2, 1)
        self.decoder = nn.Sequential(
            _conv(2 * channels, width),
            *_residuals(sizes),
            nn.ConvTranspose2d(width, half, 4, 2, 1),
            nn.ELU(),
            nn.ConvTranspose2d(half, 3, 4, 2, 1),
        )

    def encode(self, image_BCHW: Tensor) -> Encoded:
        """(s, t) = E_vq(image) and their codes; quantised in float32 whatever the precision around."""
        bottom_BCHW = self.bottom(image_BCHW)
        s_BDHW = self.top(bottom_BCHW).float()
        structure = _quantised(self.structure_codebook, s_BDHW)
        above_BCHW = self.above(structure.z_BDHW)
        t_BDHW = self.to_texture(torch.cat([bottom_BCHW, above_BCHW.to(bottom_BCHW.dtype)], 1)).float()
        return Encoded(s_BDHW, t_BDHW, structure, _quantised(self.texture_codebook, t_BDHW))

    def decode(self, s_BDHW: Tensor, t_BDHW: Tensor | None) -> Tensor:
        """D_vq: vectors of both levels as an image, not clamped; without texture D_vq(s, 0)."""
        above_BDHW = self.enlarge(s_BDHW)
        t_BDHW = torch.zeros_like(above_BDHW) if t_BDHW is None else t_BDHW.to(above_BDHW.dtype)
        return self.decoder(torch.cat([above_BDHW, t_BDHW], 1)).float()

    def structure_codes(self, image_BCHW: Tensor) -> Tensor:
        """The structure's codes alone, (B, H, W)."""
        s_BDHW = self.top(self.bottom(image_BCHW)).float()
        with full_precision(s_BDHW):
            return self.structure_codebook.nearest(s_BDHW)

    def structure_alone(self, codes_BHW: Tensor) -> Tensor:
        """D_vq(s, 0) of structure codes, in [-1, 1]: what structure models."""
        return self.decode(self.structure_codebook.look_up(codes_BHW), None).clamp(-1, 1)

    def texture_alone(self, codes_BHW: Tensor) -> Tensor:
        """D_vq(0, t) of texture codes, in [-1, 1]: what texture models."""
        t_BDHW = self.texture_codebook.look_up(codes_BHW)
        side = t_BDHW.shape[-1] // 2
        return self.decode(t_BDHW.new_zeros(*t_BDHW.shape[:2], side, side), t_BDHW).clamp(-1, 1)

    def forward(self, image_BCHW: Tensor) -> tuple[Tensor, Encoded]:
        """(reconstruction, what it was made of)."""
        encoded = self.encode(image_BCHW)
        return self.decode(encoded.structure.z_BDHW, encoded.texture.z_BDHW), encoded


class Residual(nn.Module):
    """x plus ELU, 3x3, ELU, 1x1 of it."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.ELU(), nn.Conv2d(width, inner, 3, padding=1), nn.ELU(), nn.Conv2d(inner, width, 1)
        )

    def forward(self, x_BCHW: Tensor) -> Tensor:
        return x_BCHW + self.layers(x_BCHW)


def _quantised(codebook: EmaCodebook, z_BDHW: Tensor) -> Quantized:
    with full_precision(z_BDHW):
        return codebook(z_BDHW)


def _residuals(sizes: Sizes) -> list[nn.Module]:
    return [*(Residual(sizes.width, sizes.residual_width) for _ in range(sizes.blocks)), nn.ELU()]


def _halve(inputs: int, outputs: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 4, 2, 1), nn.ELU())


def _conv(inputs: int, outputs: int) -> nn.Module:
    return nn.Conv2d(inputs, outputs, 3, padding=1)
