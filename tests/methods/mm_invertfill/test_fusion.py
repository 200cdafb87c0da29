"""Every way in which features of branches meet (paper 002, eq. 2, Table 7)."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from stages.methods.mm_invertfill.blocks.fusion import AdaIn, Adn, Joined, Spade, fusion
from tests.methods.mm_invertfill.encoders import random, set_to


@pytest.fixture(autouse=True)
def weights() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize("size", [4, 7])
def test_adn_is_equation_2(size):
    adn, x_BCHW, aux_BAHW = Adn(6, 4), 3 * random(2, 6, size, size) + 5, random(2, 4, size, size, seed=1)
    normed = nn.LayerNorm((6, size, size), elementwise_affine=False)(x_BCHW)
    told = adn.embed(aux_BAHW)
    expected = adn.gamma(told) * normed + adn.beta(torch.cat([x_BCHW, told], 1))
    assert torch.allclose(adn(x_BCHW, aux_BAHW), expected, atol=1e-5)
    set_to(adn.gamma, 0, 1)
    set_to(adn.beta, 0, 0)
    assert torch.allclose(adn(x_BCHW, aux_BAHW), normed, atol=1e-6)


def test_without_anything_beside_a_fusion_is_layer_norm():
    x_BCHW = 3 * random(2, 6, 5, 5) + 5
    expected = nn.LayerNorm((6, 5, 5), elementwise_affine=False)(x_BCHW)
    for kind, aux in (("none", 4), ("adn", 0), ("concat", 0)):
        assert torch.allclose(fusion(kind, 6, aux)(x_BCHW, random(2, aux, 5, 5)), expected, atol=1e-6)


def test_adain_gives_channels_the_mean_and_deviation_of_what_stands_beside():
    fuse, x_BCHW, aux_BAHW = AdaIn(6, 4), 3 * random(2, 6, 8, 8) + 5, 2 * random(2, 4, 8, 8, seed=1)
    told, found = fuse.embed(aux_BAHW), fuse(x_BCHW, aux_BAHW)
    assert torch.allclose(found.mean((2, 3)), told.mean((2, 3)), atol=1e-5)
    assert torch.allclose(found.std((2, 3)), told.std((2, 3)), atol=1e-4)


def test_spade_without_a_condition_is_instance_norm():
    fuse, x_BCHW = Spade(6, 4), 3 * random(2, 6, 8, 8) + 5
    set_to(fuse.scale_shift, 0, 0)
    expected = nn.InstanceNorm2d(6)(x_BCHW)
    assert torch.allclose(fuse(x_BCHW, random(2, 4, 8, 8)), expected, atol=1e-6)


@pytest.mark.parametrize(("kind", "reach"), [("concat", 0), ("conv", 2)])
def test_joining_looks_as_far_as_its_kernels(kind, reach):
    fuse, aux_BAHW = fusion(kind, 3, 2), random(1, 2, 9, 9).requires_grad_()
    assert isinstance(fuse, Joined)
    fuse(random(1, 3, 9, 9), aux_BAHW)[0, :, 4, 4].sum().backward()
    seen = (aux_BAHW.grad[0].abs().sum(0) > 0).nonzero()
    assert (seen - 4).abs().max() == reach
