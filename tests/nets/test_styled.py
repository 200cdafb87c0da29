"""Modulated convolution, equalised layers and the binomial filter against their definitions."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from stages.nets.equalised import GAIN, EqualisedConv2d, EqualisedLinear, leaky
from stages.nets.fir import blur, downsample, upsample
from stages.nets.modulated_conv import EPS, ModulatedConv2d

TAPS = torch.tensor([1.0, 3.0, 3.0, 1.0])
FILTER = TAPS[:, None] * TAPS / 64


def filtered(x_BCHW: Tensor, gain: float = 1.0) -> Tensor:
    """The direct definition: each value a sum over the filter's 4 x 4 places, x padded beforehand."""
    height, width = x_BCHW.shape[2] - 3, x_BCHW.shape[3] - 3
    shifted = [gain * FILTER[i, j] * x_BCHW[:, :, i : i + height, j : j + width] for i in range(4) for j in range(4)]
    return torch.stack(shifted).sum(0)


def spread(x_BCHW: Tensor) -> Tensor:
    """Zeros between all values and behind the last ones."""
    out = x_BCHW.new_zeros(*x_BCHW.shape[:2], 2 * x_BCHW.shape[2], 2 * x_BCHW.shape[3])
    out[:, :, ::2, ::2] = x_BCHW
    return out


def grouped(conv: ModulatedConv2d, x_BCHW: Tensor, w_BD: Tensor) -> Tensor:
    """StyleGAN2's eq. 1-3 as they are written: filters of an image's own, one group an image."""
    style_BC = conv.affine(w_BD)
    weight_BOCkk = conv.weight * conv.scale * style_BC[:, None, :, None, None]
    if conv.demodulate:
        norm = (weight_BOCkk.square().sum((2, 3, 4), keepdim=True) + EPS).sqrt()
        weight_BOCkk = weight_BOCkk / norm
    batch, outputs = weight_BOCkk.shape[:2]
    one_1BCHW = x_BCHW.reshape(1, -1, *x_BCHW.shape[2:])
    if not conv.up:
        y = F.conv2d(one_1BCHW, weight_BOCkk.flatten(0, 1), groups=batch, padding=conv.weight.shape[-1] // 2)
        return y.view(batch, outputs, *y.shape[2:])
    # zeros between, convolved, filtered with gain 4
    rows = [
        F.conv2d(F.pad(spread(x[None]), (2, 1, 2, 1)), w.flip(2, 3)) for x, w in zip(x_BCHW, weight_BOCkk, strict=True)
    ]
    return filtered(F.pad(torch.cat(rows), (1, 1, 1, 1)), gain=4.0)


def test_upsampling_is_zeros_between_and_the_filter():
    x = torch.randn(2, 3, 5, 7)
    assert torch.allclose(upsample(x), filtered(F.pad(spread(x), (2, 1, 2, 1)), gain=4.0), atol=1e-6)


def test_downsampling_is_the_filter_at_every_second_place():
    x = torch.randn(2, 3, 8, 6)
    assert torch.allclose(downsample(x), filtered(F.pad(x, (1, 1, 1, 1)))[:, :, ::2, ::2], atol=1e-6)


def test_blurring_is_the_filter():
    x = torch.randn(2, 3, 8, 6)
    assert torch.allclose(blur(x, 2), filtered(F.pad(x, (2, 2, 2, 2))), atol=1e-6)


@pytest.mark.parametrize("up", [False, True])
@pytest.mark.parametrize("demodulate", [False, True])
@pytest.mark.parametrize("side", [4, 16])  # 4: the maps are scaled, 16: the filters
def test_a_modulated_convolution_equals_its_grouped_definition(side: int, demodulate: bool, up: bool):
    torch.manual_seed(0)
    conv = ModulatedConv2d(6, 5, 3, 4, demodulate=demodulate, up=up)
    x_BCHW, w_BD = torch.randn(3, 6, side, side), 3 * torch.randn(3, 4)
    assert torch.allclose(conv(x_BCHW, w_BD), grouped(conv, x_BCHW, w_BD), atol=1e-5)


@pytest.mark.parametrize("side", [4, 16])
def test_its_gradients_equal_the_definitions(side: int):
    torch.manual_seed(0)
    conv = ModulatedConv2d(6, 5, 3, 4).double()
    x_BCHW, w_BD = torch.randn(3, 6, side, side).double().requires_grad_(), torch.randn(3, 4).double().requires_grad_()
    leaves = [x_BCHW, w_BD, *conv.parameters()]
    ours = torch.autograd.grad(conv(x_BCHW, w_BD).square().sum(), leaves)
    theirs = torch.autograd.grad(grouped(conv, x_BCHW, w_BD).square().sum(), leaves)
    assert all(torch.allclose(a, b, rtol=1e-4, atol=1e-5) for a, b in zip(ours, theirs, strict=True))


def test_demodulated_outputs_have_unit_variance_for_normal_inputs():
    torch.manual_seed(0)
    conv = ModulatedConv2d(32, 64, 3, 8)
    y_BCHW = conv(torch.randn(8, 32, 34, 34), 4 * torch.randn(8, 8))[:, :, 1:-1, 1:-1]
    assert torch.allclose(y_BCHW.var((2, 3)).mean(1), torch.ones(8), atol=0.05)


def test_a_style_of_any_length_gives_the_same_demodulated_output():
    torch.manual_seed(0)
    conv, x_BCHW, w_BD = ModulatedConv2d(6, 5, 3, 4), torch.randn(2, 6, 8, 8), torch.randn(2, 4)
    before = conv(x_BCHW, w_BD)
    with torch.no_grad():
        conv.affine.weight.mul_(7)
        conv.affine.bias.mul_(7)
    assert torch.allclose(conv(x_BCHW, w_BD), before, atol=1e-4)


@pytest.mark.parametrize("rate", [1.0, 0.01])
def test_equalised_layers_keep_power_and_learn_at_their_rate(rate: float):
    torch.manual_seed(0)
    layer, x_BC = EqualisedLinear(256, 256, rate=rate), torch.randn(512, 256)
    assert layer(x_BC).var().item() == pytest.approx(1, abs=0.05)
    with torch.no_grad():
        before, _ = layer(x_BC), layer.weight.add_(1.0)  # an Adam step's size, whatever the gradient
    assert ((layer(x_BC) - before) / x_BC.sum(1, keepdim=True)).mean().item() == pytest.approx(rate / 16, rel=1e-3)


def test_leaky_keeps_the_power_of_what_a_layer_makes():
    torch.manual_seed(0)
    x_BCHW = torch.randn(8, 64, 16, 16)
    for _ in range(8):
        x_BCHW = leaky(EqualisedConv2d(64, 64, 3, gain=GAIN)(x_BCHW))
    assert 0.5 < x_BCHW[:, :, 4:-4, 4:-4].square().mean().item() < 2.0
