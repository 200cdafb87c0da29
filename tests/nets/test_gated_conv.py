"""Gated convolutions and the spectral discriminator."""

from __future__ import annotations

import pytest
import torch

from stages.nets.gated_conv import GatedConv2d, GatedResidual, GatedUp2d
from stages.nets.spectral_discriminator import SpectralDiscriminator


def test_a_shut_gate_lets_nothing_through_and_an_open_one_everything():
    conv = GatedConv2d(2, 3, 3, linear=True)
    x_BCHW = torch.randn(1, 2, 5, 5, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        conv.conv.weight[3:] = 0
        conv.conv.bias[3:] = -100
        assert conv(x_BCHW).abs().max() < 1e-30
        conv.conv.bias[3:] = 100
        assert torch.allclose(conv(x_BCHW), conv.conv(x_BCHW)[:, :3])


@pytest.mark.parametrize(
    ("kernel", "stride", "dilation", "side"), [(3, 1, 1, 8), (7, 1, 1, 8), (3, 1, 4, 8), (4, 2, 1, 4)]
)
def test_sizes_are_kept_or_halved(kernel, stride, dilation, side):
    assert GatedConv2d(2, 3, kernel, stride, dilation)(torch.zeros(1, 2, 8, 8)).shape == (1, 3, side, side)


def test_growing_doubles_or_meets_an_odd_side():
    grow = GatedUp2d(2, 3)
    assert grow(torch.zeros(1, 2, 3, 3)).shape == (1, 3, 6, 6)
    assert grow(torch.zeros(1, 2, 3, 3), 7).shape == (1, 3, 7, 7)


def test_a_residual_block_adds_to_its_input():
    block = GatedResidual(2, 2)
    with torch.no_grad():
        block.layers[1].conv.weight.zero_()
        block.layers[1].conv.bias.zero_()
    x_BCHW = torch.randn(1, 2, 6, 6)
    assert torch.equal(block(x_BCHW), x_BCHW)


def test_every_convolution_of_the_discriminator_has_spectral_norm_one():
    torch.manual_seed(0)
    critic = SpectralDiscriminator(3, 4)
    for _ in range(30):  # a power iteration a call
        critic(torch.zeros(1, 3, 32, 32))
    critic.eval()
    for layer in critic.layers[::2]:
        norm = torch.linalg.matrix_norm(layer.weight.flatten(1), 2)
        assert norm.item() == pytest.approx(1, abs=0.02)


def test_the_discriminators_estimates_are_saved():
    torch.manual_seed(0)
    critic, other = SpectralDiscriminator(3, 4), SpectralDiscriminator(3, 4)
    x_BCHW = torch.randn(2, 3, 32, 32)
    critic(x_BCHW)
    other.load_state_dict(critic.state_dict())
    assert torch.equal(critic(x_BCHW), other(x_BCHW))
