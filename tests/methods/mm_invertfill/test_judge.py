"""The generator's opponent and what is counted beside it, against their definitions."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.autograd.functional import jacobian, vjp

from stages.losses.adversarial import gradient_penalty
from stages.methods.mm_invertfill.blocks.discriminator import GROUP, deviation
from stages.methods.mm_invertfill.blocks.generator import Sizes
from stages.methods.mm_invertfill.blocks.judge import Judge
from stages.methods.mm_invertfill.blocks.penalties import DECAY, PathLength, lengths
from tests.methods.mm_invertfill.conftest import SPEC, WIDTHS, generator, images, noise, styles


def judge() -> Judge:
    torch.manual_seed(0)
    return Judge(Sizes(**WIDTHS), SPEC, augmented=False)


def by_definition(count: int, side: int, seed: int) -> Tensor:
    """|J' y| of pictures of `generator`, root of the mean over layers, by autograd's own product; y from that seed."""
    net, found = generator(side), []
    w_BLD, given = styles(net, count), noise(net, count)
    torch.manual_seed(seed)
    y_BCHW = torch.randn(count, 3, side, side) / side
    for i in range(count):
        maps = [map_B1HW[i : i + 1] for map_B1HW in given]
        slope_1LD = vjp(lambda w_1LD, maps=maps: net(w_1LD, maps), w_BLD[i : i + 1], y_BCHW[i : i + 1])[1]
        found.append(slope_1LD.square().sum(2).mean().sqrt())
    return torch.stack(found)


def made(net, count: int) -> tuple[Tensor, Tensor]:
    """Pictures and the styles that they are functions of."""
    w_BLD = styles(net, count).requires_grad_()
    return net(w_BLD, noise(net, count)), w_BLD


def test_path_lengths_are_autograds_products():
    image_BCHW, w_BLD = made(generator(), 3)
    torch.manual_seed(5)
    assert torch.allclose(lengths(image_BCHW, w_BLD), by_definition(3, SPEC.size, 5), rtol=1e-4)


def test_a_path_lengths_mean_follows_its_recurrence():
    """a <- a + (mean of the lengths - a) / 100 from 0, and the penalty is what is left of it, squared."""
    net, penalty, a = generator(), PathLength(), 0.0
    for seed in (5, 6):
        length_B = by_definition(3, SPEC.size, seed)
        a += DECAY * (float(length_B.mean()) - a)
        torch.manual_seed(seed)
        found = penalty(*made(net, 3))
        assert float(penalty.mean) == pytest.approx(a, rel=1e-4)
        assert found.item() == pytest.approx(float((length_B - a).square().mean()), rel=1e-4)


def test_a_path_length_penalty_teaches_all_that_shapes_a_picture():
    net = generator(strength=1.0)
    torch.manual_seed(0)
    w_BLD = net.broadcast(net.mapping(torch.randn(2, net.latent)))
    penalty = PathLength()(net(w_BLD, noise(net)), w_BLD)
    slopes = torch.autograd.grad(penalty, list(net.parameters()), allow_unused=True)
    names = [name for name, _ in net.named_parameters()]
    idle = {name for name, slope in zip(names, slopes, strict=True) if slope is None or not slope.any()}
    assert idle == {name for name in names if "to_rgb.bias" in name}  # a shift of colours bends no path


def test_r1_is_autograds_gradient_squared():
    net, real_BCHW = judge(), images()
    jacobian_BBCHW = jacobian(lambda x_BCHW: net(x_BCHW)[:, 0], real_BCHW)
    expected = jacobian_BBCHW.sum(0).square().sum((1, 2, 3)).mean()
    real_BCHW.requires_grad_()
    found = gradient_penalty("squared", net(real_BCHW), real_BCHW)
    assert found.item() == pytest.approx(float(expected), rel=1e-4)


@pytest.mark.parametrize(("count", "group"), [(2 * GROUP, GROUP), (GROUP + 1, GROUP + 1), (1, 1)])
def test_minibatch_deviation_is_its_definition(count: int, group: int):
    x_BCHW = torch.randn(count, 3, 2, 2, generator=torch.Generator().manual_seed(0))
    for first in range(0, count, group):
        values = x_BCHW[first : first + group].flatten(1).T.tolist()
        means = [sum(value) / group for value in values]
        spread = [sum((x - m) ** 2 for x in value) / group for value, m in zip(values, means, strict=True)]
        expected = sum((v + 1e-8) ** 0.5 for v in spread) / len(values)
        found_B1HW = deviation(x_BCHW)[first : first + group]
        assert torch.allclose(found_B1HW, torch.full((group, 1, 2, 2), expected), rtol=1e-4)


def test_pictures_all_alike_do_not_deviate_and_others_do():
    same_BCHW, other_BCHW = images(1).expand(GROUP, -1, -1, -1), images(GROUP)
    assert deviation(same_BCHW).abs().max() <= 1.01e-4  # the root of what keeps it differentiable
    assert deviation(other_BCHW).min() > 0.1
