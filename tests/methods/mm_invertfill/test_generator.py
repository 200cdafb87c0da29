"""StyleGAN2's generator: which style, noise and added map reaches what (paper 002, Sec. 3.3.2)."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from stages.contract import Spec, UserError
from stages.methods.mm_invertfill.blocks.generator import Generator, MappingNetwork, Sizes, mean_style, restore, sides
from stages.nets.seeded import generators
from tests.methods.mm_invertfill.conftest import MADE, SPEC, WIDTHS, generator, noise, styles


def seen(net: Generator, *inputs: object) -> tuple[list[Tensor], Tensor]:
    """Every convolution's maps, in order, and the picture."""
    maps: list[Tensor] = []
    convs = [conv for block in net.blocks for conv in block.convs]
    hooks = [conv.register_forward_hook(lambda _, given, out: maps.append(out)) for conv in convs]
    with torch.no_grad():
        image_BCHW = net(*inputs)
    for hook in hooks:
        hook.remove()
    return maps, image_BCHW


def test_latents_of_any_length_have_one_style():
    torch.manual_seed(0)
    mapping, z_RD = MappingNetwork(Sizes(**WIDTHS)), torch.randn(3, 8)
    w_RD = mapping(z_RD)
    assert torch.allclose(mapping(7 * z_RD), w_RD, atol=1e-5)
    assert not torch.allclose(mapping(-z_RD), w_RD, atol=1e-3)


@pytest.mark.parametrize(("size", "layers"), [(4, 2), (8, 4), (32, 8), (256, 14), (1024, 18)])
def test_the_style_layers_are_twice_the_doublings_less_two(size: int, layers: int):
    with torch.device("meta"):
        net = Generator(Sizes(), Spec(size))
        w_BLD = net.broadcast(torch.empty(1, net.latent))
        image_BCHW = net(w_BLD, net.noise(1, torch.device("meta")))
    assert net.layers == layers == w_BLD.shape[1]
    assert len(net.noise_sides) == layers - 1  # the last style is the picture's alone
    assert image_BCHW.shape == (1, 3, size, size)


def test_a_layers_style_changes_its_own_map_and_no_earlier_one():
    net = generator()
    w_BLD, given = styles(net), noise(net)
    maps, image_BCHW = seen(net, w_BLD, given)
    for layer in range(net.layers):
        other_BLD = w_BLD.clone()
        other_BLD[:, layer] += 1
        changed, other_BCHW = seen(net, other_BLD, given)
        assert not torch.equal(other_BCHW, image_BCHW)
        same = [torch.equal(*pair) for pair in zip(maps, changed, strict=True)]
        assert same == [number < layer for number in range(net.layers - 1)]


def test_added_zeros_change_nothing_and_other_maps_what_is_finer_alone():
    net = generator()
    w_BLD, given = styles(net), noise(net)
    maps, image_BCHW = seen(net, w_BLD, given)
    for side, channels in net.channels.items():
        zeros_BCHW = torch.zeros(2, channels, side, side)
        assert torch.equal(seen(net, w_BLD, given, {side: zeros_BCHW})[1], image_BCHW)
        changed, other_BCHW = seen(net, w_BLD, given, {side: zeros_BCHW + 0.5})
        assert not torch.equal(other_BCHW, image_BCHW)
        same = [torch.equal(*pair) for pair in zip(maps, changed, strict=True)]
        assert same == [number <= side for number in net.noise_sides]


def test_a_cell_that_is_added_reaches_the_picture_about_its_own_place():
    net = generator()
    added_BCHW = torch.zeros(1, net.channels[8], 8, 8).requires_grad_()
    image_BCHW = net(styles(net, 1), noise(net, 1), {8: added_BCHW})
    (slope_BCHW,) = torch.autograd.grad(image_BCHW[0, :, 0, 0].sum(), added_BCHW)
    near_HW = slope_BCHW[0].abs().sum(0) > 0
    assert near_HW[0, 0] and not near_HW[4:].any() and not near_HW[:, 4:].any()


def test_noise_of_strength_0_changes_nothing_and_of_another_it_does():
    for strength, same in ((0.0, True), (1.0, False)):
        net = generator(strength=strength)
        one, other = (net(styles(net), noise(net, seed=seed)) for seed in (1, 2))
        assert torch.equal(one, other) is same


def test_seeded_noise_belongs_to_its_seed():
    net = generator()
    both, alone = (net.seeded_noise(generators(torch.tensor(seeds))) for seeds in ([3, 5], [5]))
    assert all(torch.equal(two[1:], one) for two, one in zip(both, alone, strict=True))
    assert [tuple(map_B1HW.shape) for map_B1HW in both] == [(2, 1, side, side) for side in net.noise_sides]
    assert not any(torch.equal(two[0], two[1]) for two in both)


def test_a_picture_depends_on_no_other_of_the_batch():
    net = generator(strength=1.0)
    w_BLD, given = styles(net, 3), noise(net, 3)
    alone = [net(w_BLD[i : i + 1], [map_B1HW[i : i + 1] for map_B1HW in given]) for i in range(3)]
    assert torch.allclose(net(w_BLD, given), torch.cat(alone), atol=1e-5)


def test_the_mean_style_is_the_mean_of_mapped_latents():
    net = generator()
    z_RD = torch.randn(50, net.latent, generator=torch.Generator().manual_seed(3))
    expected = torch.stack([net.mapping(z_RD[i : i + 1])[0] for i in range(50)]).mean(0)
    assert torch.allclose(mean_style(net, 50, torch.Generator().manual_seed(3)), expected, atol=1e-5)


@pytest.mark.parametrize("size", [0, 2, 6, 12, 48, 96])
def test_other_sizes_are_refused_in_one_line(size: int):
    with pytest.raises(UserError, match=f"datasets: size {size}: .* 4, 8, 16, 32") as error:
        sides(size)
    assert "\n" not in str(error.value)


def test_a_generator_that_is_released_and_restored_makes_the_same_pictures(part):
    net = restore(MADE.release("prior", part))
    w_BLD, given = styles(net), noise(net)
    assert torch.equal(net(w_BLD, given), part.model(w_BLD, given))
    assert net.sides[-1] == SPEC.size and not any(parameter.requires_grad for parameter in net.parameters())
