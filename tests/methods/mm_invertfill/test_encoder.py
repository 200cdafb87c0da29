"""The multimodal guided encoder: what may reach its outputs, and all of its variants (paper 002, Sec. 3.2-3.3)."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from stages.contract import Guidance
from stages.methods.mm_invertfill.blocks.modalities import Inputs, one_hot
from stages.methods.mm_invertfill.blocks.network import GuidedEncoder
from tests.methods.mm_invertfill.encoders import W_DIM, encoder, outputs, shown

MAPS = {  # name -> its mask's
    "image_BCHW": "known_B1HW",
    "edges_B1HW": "edges_known_B1HW",
    "labels_BCHW": "labels_known_B1HW",
}


@pytest.mark.parametrize("name", MAPS)
def test_what_a_map_holds_where_it_is_not_known_reaches_nothing(name):
    net, inputs = encoder(), shown()
    known_B1HW = getattr(inputs, MAPS[name])
    spoilt = torch.where(known_B1HW > 0, getattr(inputs, name), torch.nan)
    before, after = outputs(net(inputs)), outputs(net(replace(inputs, **{name: spoilt})))
    assert all(torch.equal(after[key], value) for key, value in before.items())


@pytest.mark.parametrize("name", MAPS)
def test_what_a_map_holds_where_it_is_known_reaches_everything(name):
    net, inputs = encoder(), shown()
    turned = getattr(inputs, name).flip(2)
    before, after = outputs(net(inputs)), outputs(net(replace(inputs, **{name: turned})))
    assert not [key for key, value in before.items() if torch.equal(after[key], value)]


def test_maps_without_a_known_place_are_as_if_not_given():
    net, inputs = encoder(), shown()
    none_B1HW = torch.zeros_like(inputs.known_B1HW)
    unread = replace(inputs, edges_known_B1HW=none_B1HW, labels_known_B1HW=none_B1HW)
    plain = Inputs.guided(inputs.image_BCHW, inputs.known_B1HW, None, classes=3)
    assert plain.labels_BCHW.shape[1] == 3 and not plain.labels_BCHW.any() and not plain.edges_B1HW.any()
    before, after = outputs(net(unread)), outputs(net(plain))
    assert all(torch.equal(after[key], value) for key, value in before.items())


def test_guidance_enters_with_its_own_masks():
    inputs = shown()
    labels_BHW = inputs.labels_BCHW.argmax(1)
    guidance = Guidance(inputs.edges_B1HW, inputs.edges_known_B1HW, labels_BHW, inputs.labels_known_B1HW)
    guided = Inputs.guided(inputs.image_BCHW, inputs.known_B1HW, guidance, classes=3)
    assert all(torch.equal(value, getattr(inputs, name)) for name, value in vars(guided).items())


def test_a_label_that_is_no_class_is_none_of_the_channels():
    found = one_hot(torch.tensor([[[0, 2, 3, 255, -1]]]), 3)
    assert found[0, :, 0].T.tolist() == [[1, 0, 0], [0, 0, 1], [0, 0, 0], [0, 0, 0], [0, 0, 0]]


@pytest.mark.parametrize("absent", ["edges", "labels"])
def test_without_a_branch_its_map_is_not_read(absent):
    net, inputs = encoder(**{absent: False}), shown()
    name = "edges_B1HW" if absent == "edges" else "labels_BCHW"
    before, after = (
        outputs(net(inputs)),
        outputs(net(replace(inputs, **{name: torch.rand_like(getattr(inputs, name))}))),
    )
    assert all(torch.equal(after[key], value) for key, value in before.items())
    assert not [key for key in before if key.startswith(absent)]


@pytest.mark.parametrize("size", [32, 64, 96])
@pytest.mark.parametrize("classes", [0, 12])
def test_shapes(size, classes):
    seen = encoder(size, classes)(shown(size, classes))
    sides = [size // 8, size // 4, size // 2]
    assert [tuple(level.image_B3hw.shape) for level in seen.restored] == [(2, 3, side, side) for side in sides]
    assert all(level.edges_B1hw.shape[1:] == (1, side, side) for level, side in zip(seen.restored, sides, strict=True))
    if classes:
        assert [tuple(level.labels_BChw.shape) for level in seen.restored] == [(2, 12, side, side) for side in sides]
    else:
        assert [level.labels_BChw for level in seen.restored] == [None] * 3
    assert {side: tuple(map_BCHW.shape) for side, map_BCHW in seen.features.items()} == {s: (2, 5, s, s) for s in sides}
    assert tuple(seen.w_BLD.shape) == (2, 2 * (size.bit_length() - 2), W_DIM)
    assert seen.whole_B3HW is None


def test_spaces_differ_in_what_the_generator_is_given():
    inputs = shown()
    w_plus, none = encoder(space="w_plus")(inputs), encoder(space="none")(inputs)
    assert w_plus.features == {} and w_plus.w_BLD is not None and w_plus.whole_B3HW is None
    assert none.features == {} and none.w_BLD is None
    assert none.whole_B3HW.shape == (2, 3, 64, 64) and none.whole_B3HW.abs().max() <= 1


def test_bottlenecks_begin_with_the_backbones_features_and_gate():
    net, inputs, given = encoder(), shown(), []
    net.bottlenecks.register_forward_pre_hook(lambda module, arguments: given.extend(arguments))
    net(inputs)
    encoded = net.backbone(inputs.channels(edges=True, labels=True))
    assert torch.equal(given[0], encoded.features[0]) and torch.equal(given[1], encoded.gate_BCHW)


def test_what_a_scale_restores_stands_side_by_side_as_picture_and_probabilities():
    level = encoder()(shown()).restored[0]
    image_B3hw, edges_B1hw, labels_BChw = level.maps().split([3, 1, 3], 1)
    assert torch.equal(image_B3hw, level.image_B3hw) and image_B3hw.abs().max() <= 1
    assert torch.allclose(torch.logit(edges_B1hw), level.edges_B1hw, atol=1e-4)
    assert torch.allclose(labels_BChw.log(), level.labels_BChw.log_softmax(1), atol=1e-4)


def gradients(net: GuidedEncoder, name: str, of: str = "image_B3hw") -> list[bool]:
    """Of the weights whose name holds `name`: does the last restored picture (or another map) depend on them?"""
    parameters = [p for key, p in net.named_parameters() if name in key]
    map_BCHW = getattr(net(shown()).restored[-1], of)
    slopes = torch.autograd.grad(map_BCHW.square().sum(), parameters, allow_unused=True)
    return [slope is not None and bool(slope.any()) for slope in slopes]


def test_unbiased_guidance_is_by_features_and_biased_by_predicted_maps():
    assert not any(gradients(encoder(), "heads.edges")) and not any(gradients(encoder(), "heads.labels"))
    assert all(gradients(encoder(prior="biased"), "heads.edges"))
    assert all(gradients(encoder(prior="biased"), "heads.labels"))


def test_branches_meet_unless_nothing_is_fused():
    for changes in ({}, {"attention": "none"}, {"prior": "biased"}):
        net = encoder(**changes)
        assert all(gradients(net, "beside.edges")) and all(gradients(net, "beside.labels"))
        assert all(gradients(net, "levels.2.rgb.", of="edges_B1hw"))
    net = encoder(fusion="none", attention="none")
    assert not any(gradients(net, "beside")) and not any(gradients(net, ".rgb.", of="edges_B1hw"))


def test_under_autocast_what_losses_read_is_float32_and_near():
    net, inputs = encoder().eval(), shown()
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        rough = outputs(net(inputs))
    for key, value in outputs(net(inputs)).items():
        assert rough[key].dtype == torch.float32 or key.startswith("features")
        assert (rough[key].float() - value).abs().mean() < 0.1 * value.abs().mean() + 0.02
