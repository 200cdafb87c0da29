"""What the generator is given: styles and, in F&W+, maps (paper 002, Sec. 3.3, eq. 4 and 6)."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stages.methods.mm_invertfill.blocks.bridge import Bridge
from stages.methods.mm_invertfill.blocks.sizes import Sizes
from stages.methods.mm_invertfill.blocks.styles import MapToVector, Premodulation, Styles, level_of
from tests.methods.mm_invertfill.encoders import random


@pytest.fixture(autouse=True)
def weights() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize(
    ("layers", "counts"), [(18, [3, 4, 11]), (10, [3, 4, 3]), (8, [3, 4, 1]), (6, [2, 2, 2]), (4, [2, 1, 1])]
)
def test_style_layers_belong_to_levels(layers, counts):
    levels = level_of(layers)
    assert levels == sorted(levels) and [levels.count(level) for level in range(3)] == counts


@pytest.mark.parametrize(("side", "convs"), [(1, 0), (4, 2), (6, 3), (16, 4), (32, 5), (64, 6)])
def test_map2style_halves_down_to_one_cell(side, convs):
    net = MapToVector(3, side, 8)
    assert sum(isinstance(layer, nn.Conv2d) for layer in net.layers) == convs
    if convs:
        assert net.layers(random(2, 3, side, side)).shape == (2, 8, 1, 1)
        assert net(random(2, 3, side, side)).shape == (2, 8)


def test_premodulation_is_equation_4():
    net, w_BD, s_BD = Premodulation(8), random(3, 8), random(3, 8, seed=1)
    gamma_BD, beta_BD = net.second(F.leaky_relu(net.first(s_BD), 0.01)).chunk(2, 1)
    normed = (w_BD - w_BD.mean(1, keepdim=True)) / (w_BD.var(1, correction=0, keepdim=True) + 1e-5).sqrt()
    assert torch.allclose(net(w_BD, s_BD), gamma_BD * normed + beta_BD, atol=1e-5)
    assert torch.allclose(net(5 * w_BD + 2, s_BD), net(w_BD, s_BD), atol=1e-3)


SIDES = (4, 8, 16)


def styles(width: int = 16, **changes: object) -> tuple[Styles, list[Tensor], list[Tensor]]:
    """Styles of 10 layers, with features and restorations of a batch of 2."""
    sizes = Sizes(width=4, **changes)
    features = [random(2, channels, side, side) for channels, side in zip(sizes.channels, SIDES, strict=True)]
    return Styles(sizes, 3, SIDES, width, 10), features, [random(2, 3, side, side, seed=1) for side in SIDES]


def test_one_head_a_level_is_broadcast_and_one_a_layer_is_not():
    net, features, restored = styles(premodulation=False)
    w_BLD = net(features, restored)
    for level, (first, last) in enumerate(((0, 3), (3, 7), (7, 10))):
        expected = net.heads[level](features[level])
        assert all(torch.equal(w_BLD[:, i], expected) for i in range(first, last))
    own, features, restored = styles(premodulation=False, style_heads="layers")
    w_BLD = own(features, restored)
    assert len(own.heads) == 10
    assert all(torch.equal(w_BLD[:, i], own.heads[i](features[level_of(10)[i]])) for i in range(10))
    assert len({tuple(w_D.tolist()) for w_D in w_BLD[0]}) == 10


def test_premodulation_reads_what_was_restored_at_its_own_level():
    net, features, restored = styles()
    w_BLD = net(features, restored)
    for level, (first, last) in enumerate(((0, 3), (3, 7), (7, 10))):
        others = [map_BCHW + (number == level) for number, map_BCHW in enumerate(restored)]
        changed = (net(features, others) != w_BLD).any(2).any(0)
        assert changed.tolist() == [first <= i < last for i in range(10)]
    off, features, restored = styles(premodulation=False)
    assert torch.equal(off(features, restored), off(features, [2 * map_BCHW for map_BCHW in restored]))
    assert not off.structures and not off.premodulations


@pytest.mark.parametrize("premodulation", [True, False])
def test_untrained_styles_lie_about_the_generators_mean(premodulation):
    """Closer than its own styles do, in each of their values, and not all in one place."""
    net, features, restored = styles(64, premodulation=premodulation)
    mean_D, deviation_D = 3 * random(64), torch.rand(64) + 0.1
    net.begin_at(mean_D, deviation_D)
    away_BLD = (net(features, restored) - mean_D) / deviation_D
    assert 0.1 < away_BLD.square().mean().sqrt() < 1
    assert not torch.allclose(away_BLD[0], away_BLD[1])


def test_the_bridge_begins_at_nothing_and_then_carries_every_known_pixel():
    sizes = Sizes(width=4)
    net = Bridge(sizes, 32, {4: 3, 8: 5, 16: 7})
    picture, features = (
        random(1, 4, 32, 32).requires_grad_(),
        [random(1, c, s, s) for c, s in zip(sizes.channels, SIDES, strict=True)],
    )
    images = [random(1, 3, side, side) for side in SIDES]
    assert not [side for side, map_BCHW in net(picture, features, images).items() if map_BCHW.any()]
    for span in net.spans:
        nn.init.normal_(span.leave.weight)
    found = net(picture, features, images)
    assert {side: map_BCHW.shape[1] for side, map_BCHW in found.items()} == {4: 3, 8: 5, 16: 7}
    for map_BCHW in found.values():
        assert torch.autograd.grad(map_BCHW.square().sum(), picture, retain_graph=True)[0].all()


def test_pixels_of_a_cell_enter_the_bridge_each_for_itself():
    """No two pixels that share a cell of a scale are read by the same weights, as averages would."""
    sizes = Sizes(width=4)
    for span, factor in zip(Bridge(sizes, 32, {4: 3, 8: 5, 16: 7}).spans, (8, 4, 2), strict=True):
        picture, side = random(1, 4, 32, 32).requires_grad_(), 32 // factor
        nn.init.normal_(span.leave.weight)
        found = span(
            picture, random(1, span.enter.conv.in_channels - 4 * factor**2 - 3, side, side), random(1, 3, side, side)
        )
        slope = torch.autograd.grad(found.square().sum(), picture)[0]
        cells = slope[0, 0].unfold(0, factor, factor).unfold(1, factor, factor).reshape(-1, factor**2)
        assert all(len(cell.unique()) == factor**2 for cell in cells)
