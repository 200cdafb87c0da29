"""The encoder's way down and its bottlenecks (paper 002, Sec. 3.2.1, eq. 1)."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from stages.methods.mm_invertfill.blocks.backbone import Backbone
from stages.methods.mm_invertfill.blocks.bottlenecks import AdaptiveBottleneck, AdaptiveBottlenecks, AotBottleneck
from tests.methods.mm_invertfill.encoders import CLOSED, random, set_to


@pytest.fixture(autouse=True)
def weights() -> None:
    torch.manual_seed(0)


def test_a_bottleneck_is_equation_1():
    block, f_BCHW, gate_BCHW = AdaptiveBottleneck(3, (1, 2, 4)), random(2, 3, 8, 8), torch.rand(2, 3, 8, 8)
    paths = [path(F.elu(f_BCHW)) for path in block.paths]
    a = [
        torch.sigmoid(
            block.judge(torch.cat([path, gate_BCHW], 1).mean((2, 3)))
            + block.judge(torch.cat([path, gate_BCHW], 1).amax((2, 3)))
        )
        for path in paths
    ]
    total = sum(a_r.exp() for a_r in a)
    expected = f_BCHW + sum((a_r.exp() / total)[..., None, None] * path for a_r, path in zip(a, paths, strict=True))
    assert torch.allclose(block(f_BCHW, gate_BCHW), expected, atol=1e-6)
    weights_BRC = block.weights(torch.stack(paths, 1), gate_BCHW)
    assert weights_BRC.shape == (2, 3, 3) and torch.allclose(weights_BRC.sum(1), torch.ones(2, 3))


def test_bottlenecks_without_filters_are_the_identity():
    net, f_BCHW = AdaptiveBottlenecks(3, 3, (1, 2)), random(2, 3, 8, 8)
    for block in (net.first, *net.blocks):
        for path in block.paths:
            set_to(path, 0, 0)
    assert torch.equal(net(f_BCHW, torch.rand(2, 3, 8, 8)), f_BCHW)


def test_a_bottlenecks_gate_is_made_of_the_features_before_it():
    net, f_BCHW, gate_BCHW = AdaptiveBottlenecks(3, 2, (1, 2)), random(2, 3, 8, 8), torch.rand(2, 3, 8, 8)
    first_BCHW = net.first(f_BCHW, gate_BCHW)
    expected = net.blocks[0](first_BCHW, torch.sigmoid(net.gates[0](first_BCHW)))
    assert torch.equal(net(f_BCHW, gate_BCHW), expected)


def test_the_backbones_tail_is_a_gated_convolution_whose_gate_is_given_on():
    net, attended = Backbone(5, (8, 4, 2)), []
    net.attention.register_forward_hook(lambda module, given, found: attended.append(found[0]))
    encoded = net(random(2, 5, 32, 32))
    assert [tuple(x.shape[1:]) for x in encoded.features] == [(8, 4, 4), (4, 8, 8), (2, 16, 16)]
    assert torch.equal(encoded.features[0], net.tail(attended[0]))
    assert torch.equal(encoded.gate_BCHW, torch.sigmoid(net.tail.conv(attended[0])[:, 8:]))


def test_an_aot_block_keeps_what_its_gate_shuts_out_and_is_new_where_it_opens():
    block, f_BCHW = AotBottleneck(4, (1, 2, 3), width=1), random(2, 4, 8, 8)
    set_to(block.gate, 0, CLOSED)
    assert torch.equal(block(f_BCHW), f_BCHW)
    set_to(block.gate, 0, -CLOSED)
    new_BCHW = block.merge(torch.cat([F.relu(path(f_BCHW)) for path in block.paths], 1))
    assert torch.allclose(block(f_BCHW), new_BCHW, atol=1e-6)
