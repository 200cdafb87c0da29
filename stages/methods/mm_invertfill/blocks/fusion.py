"""How the picture's features take in what stands beside them (paper 002, eq. 2, Table 7).

Every way is called as `fuse(x_BCHW, aux_BAHW) -> (B, C, H, W)`; A channels of all branches beside, or of their maps.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stages.methods.mm_invertfill.blocks.sizes import Kind

EPS = 1e-5  # beside variances; torch's


def layer_norm(x_BCHW: Tensor) -> Tensor:
    """Zero mean and unit variance over C, H and W of each image, in float32; no weights, so for maps of any size."""
    return F.layer_norm(x_BCHW.float(), x_BCHW.shape[1:], eps=EPS)


def instance_norm(x_BCHW: Tensor) -> Tensor:
    """The same over H and W, for each channel."""
    return F.instance_norm(x_BCHW.float(), eps=EPS)


class Alone(nn.Module):
    """Nothing is taken in: what is left of ADN (ours)."""

    def forward(self, x_BCHW: Tensor, aux_BAHW: Tensor) -> Tensor:
        return layer_norm(x_BCHW)


class Adn(nn.Module):
    """Auxiliary denormalisation, gamma(aux) * LN(x) + beta(x, aux) (eq. 2), of 1x1 convolutions as MMT's.

    It begins near LN(x) (ours).
    """

    def __init__(self, channels: int, aux: int) -> None:
        super().__init__()
        self.embed = nn.Conv2d(aux, channels, 1)
        self.gamma, self.beta = nn.Conv2d(channels, channels, 1), nn.Conv2d(2 * channels, channels, 1)
        nn.init.ones_(self.gamma.bias)  # type: ignore[arg-type]

    def forward(self, x_BCHW: Tensor, aux_BAHW: Tensor) -> Tensor:
        told_BCHW = self.embed(aux_BAHW)
        beta_BCHW = self.beta(torch.cat([x_BCHW, told_BCHW.to(x_BCHW.dtype)], 1))
        return torch.addcmul(beta_BCHW.float(), self.gamma(told_BCHW).float(), layer_norm(x_BCHW))


class Spade(nn.Module):
    """gamma(aux) * IN(x) + beta(aux), all of 3x3 convolutions; instances are normalised, not batches (ours)."""

    def __init__(self, channels: int, aux: int) -> None:
        super().__init__()
        self.embed = nn.Sequential(nn.Conv2d(aux, channels, 3, padding=1), nn.ReLU())
        self.scale_shift = nn.Conv2d(channels, 2 * channels, 3, padding=1)

    def forward(self, x_BCHW: Tensor, aux_BAHW: Tensor) -> Tensor:
        scale_BCHW, beta_BCHW = self.scale_shift(self.embed(aux_BAHW)).float().chunk(2, 1)
        return torch.addcmul(beta_BCHW, 1 + scale_BCHW, instance_norm(x_BCHW))


class AdaIn(nn.Module):
    """IN(x) with each channel's deviation and mean of what stands beside it, made as wide by a 1x1 convolution."""

    def __init__(self, channels: int, aux: int) -> None:
        super().__init__()
        self.embed = nn.Conv2d(aux, channels, 1)

    def forward(self, x_BCHW: Tensor, aux_BAHW: Tensor) -> Tensor:
        told_BCHW = self.embed(aux_BAHW).float()
        variance_BC11, mean_BC11 = torch.var_mean(told_BCHW, (2, 3), correction=0, keepdim=True)
        return torch.addcmul(mean_BC11, (variance_BC11 + EPS).sqrt(), instance_norm(x_BCHW))


class Add(nn.Module):
    """The sum, after a 1x1 convolution that makes the other as wide."""

    def __init__(self, channels: int, aux: int) -> None:
        super().__init__()
        self.embed = nn.Conv2d(aux, channels, 1)

    def forward(self, x_BCHW: Tensor, aux_BAHW: Tensor) -> Tensor:
        return x_BCHW + self.embed(aux_BAHW)


class Joined(nn.Module):
    """Convolutions of both side by side: one 1x1 (concat), or two 3x3 (conv)."""

    def __init__(self, channels: int, aux: int, kernels: tuple[int, ...]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for kernel in kernels:
            inputs = channels if layers else channels + aux
            layers += [nn.Conv2d(inputs, channels, kernel, padding=kernel // 2), nn.ELU()]
        self.layers = nn.Sequential(*layers[:-1])  # the last one's output is features, which have no floor

    def forward(self, x_BCHW: Tensor, aux_BAHW: Tensor) -> Tensor:
        return self.layers(torch.cat([x_BCHW, aux_BAHW.to(x_BCHW.dtype)], 1))


def fusion(kind: Kind, channels: int, aux: int) -> nn.Module:
    """The way that params name; without channels beside there is nothing to take in."""
    if kind == "none" or not aux:
        return Alone()
    if kind in ("conv", "concat"):
        return Joined(channels, aux, (3, 3) if kind == "conv" else (1,))
    return {"adn": Adn, "spade": Spade, "adain": AdaIn, "add": Add}[kind](channels, aux)
