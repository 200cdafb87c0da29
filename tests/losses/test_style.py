"""Perceptual and style losses against their definitions."""

from __future__ import annotations

import pytest
import torch

from stages.losses.style import gram, perceptual_loss, style_loss

SHAPES = ((2, 3, 8, 8), (2, 5, 4, 4), (2, 7, 2, 3))


def maps_of(seed: int) -> list[torch.Tensor]:
    """Maps of small whole numbers: float32 sums them exactly, in any order."""
    draw = torch.Generator().manual_seed(seed)
    return [torch.randint(-4, 5, shape, generator=draw).float() for shape in SHAPES]


@pytest.mark.parametrize("loss", [perceptual_loss, style_loss])
def test_equal_maps_differ_by_nothing_and_others_differ_the_same_both_ways(loss):
    one, other = maps_of(0), maps_of(1)
    assert loss(one, [value.clone() for value in one]) == 0
    assert loss(one, other) == loss(other, one) > 0


def test_a_gram_matrix_is_its_definition():
    for map_BChw in maps_of(0):
        images, channels, height, width = map_BChw.shape
        found_BCC = gram(map_BChw)
        assert found_BCC.shape == (images, channels, channels)
        for b in range(images):
            for c in range(channels):
                for d in range(channels):
                    products = [
                        float(map_BChw[b, c, y, x] * map_BChw[b, d, y, x]) for y in range(height) for x in range(width)
                    ]
                    assert float(found_BCC[b, c, d]) == pytest.approx(sum(products) / (channels * height * width))


def test_style_does_not_see_where_things_are_and_perception_does():
    real = maps_of(0)
    moved = []
    for map_BChw in real:
        map_BCN = map_BChw.flatten(2)
        moved.append(map_BCN[..., torch.randperm(map_BCN.shape[2])].view_as(map_BChw))
    assert style_loss(moved, real) == 0
    assert perceptual_loss(moved, real) > 0


def test_perception_is_a_mean_over_maps_and_style_a_sum():
    """Even maps of one channel: their differences are |a - b|, those of their Gram matrices |a^2 - b^2|."""
    fake = [torch.full((2, 1, side, side), value) for side, value in ((8, 1.0), (4, 2.0), (2, -3.0))]
    real = [torch.full_like(map_BChw, 0.5) for map_BChw in fake]
    assert float(perceptual_loss(fake, real)) == pytest.approx(0.5 + 1.5 + 3.5)
    assert float(style_loss(fake, real)) == pytest.approx(0.75 + 3.75 + 8.75)


@pytest.mark.parametrize("loss", [perceptual_loss, style_loss])
def test_a_batchs_loss_is_the_mean_of_its_images(loss):
    fake, real = maps_of(0), maps_of(1)
    alone = [loss([f[b : b + 1] for f in fake], [r[b : b + 1] for r in real]) for b in range(2)]
    torch.testing.assert_close(loss(fake, real), torch.stack(alone).mean())


def test_the_gradients_that_reach_the_image_are_the_formulas():
    """The image is its own map of one channel: sign(x - y) / n, and sign(|x|^2 - |y|^2) 2 x / n."""
    image_1CHW = torch.randn(1, 1, 4, 4, requires_grad=True)
    real_1CHW = 2 * torch.randn(1, 1, 4, 4)
    (slope_1CHW,) = torch.autograd.grad(perceptual_loss([image_1CHW], [real_1CHW]), image_1CHW)
    torch.testing.assert_close(slope_1CHW, (image_1CHW - real_1CHW).sign() / 16)
    (slope_1CHW,) = torch.autograd.grad(style_loss([image_1CHW], [real_1CHW]), image_1CHW)
    sign = (image_1CHW.square().sum() - real_1CHW.square().sum()).sign()
    torch.testing.assert_close(slope_1CHW, sign * 2 * image_1CHW / 16)


@pytest.mark.parametrize("loss", [perceptual_loss, style_loss])
def test_maps_of_less_precision_are_compared_in_float32(loss):
    fake, real = ([value.bfloat16() for value in maps_of(seed)] for seed in (0, 1))
    assert torch.equal(loss(fake, real), loss(maps_of(0), maps_of(1)))  # whole numbers: bfloat16 holds them exactly
