"""The losses against their formulas."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.autograd.functional import jacobian

from stages.losses.adversarial import adaptive_weight, discriminator_loss, generator_loss, gradient_penalty
from stages.losses.codes import cross_entropy, perplexity
from stages.losses.means import masked_mean
from stages.losses.pixels import psnr


def test_nonsaturating_losses_are_equations_10_and_11():
    real, fake = torch.randn(5, 1, 2, 2), torch.randn(5, 1, 2, 2)
    torch.testing.assert_close(generator_loss("nonsaturating", fake), -fake.sigmoid().log().mean())
    want = -real.sigmoid().log().mean() - (1 - fake.sigmoid()).log().mean()
    torch.testing.assert_close(discriminator_loss("nonsaturating", real, fake), want)


def test_hinge_stops_where_the_margin_is_kept():
    real, fake = torch.tensor([2.0, 0.0]), torch.tensor([-3.0, 0.5])
    assert float(discriminator_loss("hinge", real, fake)) == pytest.approx(0.5 * (0.5 + 0.75))
    assert float(generator_loss("hinge", fake)) == pytest.approx(1.25)


@pytest.mark.parametrize(("form", "power"), [("norm", 1), ("squared", 2)])
def test_the_penalty_of_a_linear_judge_is_its_slope(form, power):
    judge = nn.Linear(12, 1)
    real_BCHW = torch.randn(3, 3, 2, 2, requires_grad=True)
    penalty = gradient_penalty(form, judge(real_BCHW.flatten(1)), real_BCHW)
    torch.testing.assert_close(penalty, judge.weight.norm() ** power)
    assert torch.autograd.grad(penalty, judge.weight)[0].any()


@pytest.mark.parametrize(("patches", "times"), [("mean", 1 / 16), ("sum", 16)])
def test_the_penalty_of_a_patch_judge_is_the_slope_of_its_mean_or_sum(patches, times):
    judge, real_BCHW = nn.Conv2d(3, 1, 2, stride=2), torch.randn(2, 3, 8, 8, requires_grad=True)
    penalty = gradient_penalty("squared", judge(real_BCHW), real_BCHW, patches)
    torch.testing.assert_close(penalty, judge.weight.square().sum() * times)  # 16 patches that share no pixel


@pytest.mark.parametrize("patches", ["mean", "sum"])
@pytest.mark.parametrize(("form", "power"), [("norm", 1), ("squared", 2)])
def test_the_penalty_is_the_mean_of_images_slopes_as_autograd_has_them(form, power, patches):
    torch.manual_seed(0)
    judge = nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), nn.Tanh(), nn.Conv2d(4, 1, 3, 1, 1))
    real_BCHW = torch.randn(3, 3, 8, 8, requires_grad=True)
    slopes = [jacobian(lambda one: getattr(judge(one), patches)(), image[None]) for image in real_BCHW.detach()]
    want = torch.stack([slope.norm() ** power for slope in slopes]).mean()
    torch.testing.assert_close(gradient_penalty(form, judge(real_BCHW), real_BCHW, patches), want)


def test_the_adaptive_weight_balances_the_two_pulls():
    weight = torch.randn(4, requires_grad=True)
    reconstruction, adversarial = 6.0 * weight.sum(), 2.0 * weight.sum()
    found = adaptive_weight(reconstruction, adversarial, weight)
    assert float(found) == pytest.approx(3.0, rel=1e-3)
    assert not found.requires_grad
    assert float(adaptive_weight(1e9 * weight.sum(), adversarial, weight)) == 1e4


def test_cross_entropy_of_even_logits_is_the_logarithm_of_their_number():
    value_BN = cross_entropy(torch.zeros(2, 8, 3), torch.zeros(2, 3, dtype=torch.int64))
    torch.testing.assert_close(value_BN, torch.full((2, 3), math.log(8)))


def test_perplexity_counts_codes_that_are_used_evenly():
    assert perplexity(torch.tensor([5, 5, 0, 5, 5])) == pytest.approx(4.0)
    assert perplexity(torch.tensor([7, 0])) == pytest.approx(1.0)


def test_a_masked_mean_is_over_what_was_chosen():
    assert float(masked_mean(torch.tensor([1.0, 9.0]), torch.tensor([True, False]))) == 1.0
    assert float(masked_mean(torch.tensor([1.0]), torch.tensor([False]))) == 0.0


def test_psnr_of_a_known_error_and_of_the_hole_alone():
    image_BCHW, hole_B1HW = torch.zeros(1, 3, 4, 4), torch.zeros(1, 1, 4, 4)
    hole_B1HW[..., 0] = 1
    other_BCHW = image_BCHW + 0.2 * hole_B1HW
    assert float(psnr(image_BCHW, other_BCHW, hole_B1HW)) == pytest.approx(20.0, abs=1e-4)
    assert float(psnr(image_BCHW, other_BCHW)) == pytest.approx(20 + 10 * math.log10(4), abs=1e-4)
    assert float(psnr(image_BCHW, image_BCHW)) > 100
