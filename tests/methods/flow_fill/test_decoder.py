"""The texture generator: blind to holes, guided by its prior, exact to resume."""

from __future__ import annotations

import math

import pytest
import torch

from stages.contract import UserError
from stages.methods.flow_fill import decoder
from stages.methods.flow_fill.blocks.generator import Generator, Sizes, enlarged
from tests.methods.flow_fill.conftest import SPEC, blocks, learn, make_part
from tests.methods.small import figures_of


def test_losses_are_named_and_go_down(family, accelerator):
    part = make_part("decoder", family, accelerator, lr=5e-3)
    curve = learn(part, blocks, range(20))
    assert set(curve[0]) == {"l1", "adversarial", "lpips", "discriminator"}
    assert sum(row["l1"] for row in curve[-4:]) < sum(row["l1"] for row in curve[:4])


def test_without_adversary_and_without_perceptual_weights_it_learns_by_l1(family, bare_tools):
    part = make_part("decoder", family, bare_tools, adversarial=0.0)
    scalars = learn(part, blocks, range(1))[0]
    assert scalars["l1"] > 0 and scalars["adversarial"] == scalars["discriminator"] == 0 and "lpips" not in scalars
    assert not any(name.startswith("lpips") for name in figures_of(part, [blocks(1)]))


def test_no_hole_content_enters_not_even_nan(family):
    model, batch = decoder.restore(family["decoder"]), blocks(3)
    prior_Bchw = torch.rand(4, 3, 16, 16) * 2 - 1
    for content in (torch.randn_like(batch.image_BCHW), torch.full_like(batch.image_BCHW, math.nan)):
        other_BCHW = torch.where(batch.known_B1HW > 0, batch.image_BCHW, content)
        one, other = (model(prior_Bchw, x, batch.known_B1HW) for x in (batch.image_BCHW, other_BCHW))
        assert torch.equal(one, other)


def test_a_correcting_generator_begins_with_what_it_is_given():
    batch, prior_Bchw = blocks(0), torch.rand(4, 3, 16, 16) * 2 - 1
    raw_BCHW = Generator(Sizes(width=4, blocks=1, stem=2, correct=True))(prior_Bchw, batch.image_BCHW, batch.known_B1HW)
    hole_B1HW = batch.known_B1HW == 0
    assert torch.equal(raw_BCHW, torch.where(hole_B1HW, enlarged(prior_Bchw, 32), batch.image_BCHW))


@pytest.mark.parametrize("stem", [1, 2])
def test_a_plain_generator_makes_the_whole_picture(stem):
    batch, sizes = blocks(0), Sizes(width=4, blocks=1, stem=stem)
    raw_BCHW = Generator(sizes)(torch.zeros(4, 3, 16, 16), batch.image_BCHW, batch.known_B1HW)
    assert raw_BCHW.shape == (4, 3, 32, 32) and raw_BCHW.abs().max() <= 1


@pytest.mark.parametrize("stem", [1, 2])
def test_what_is_flat_is_made_without_a_comb(stem):
    """Far from the border every pixel of a flat picture sees the same, so all of them are made alike."""
    torch.manual_seed(0)
    image_BCHW, known_B1HW = torch.full((1, 3, 128, 128), 0.3), torch.ones(1, 1, 128, 128)
    raw_BCHW = Generator(Sizes(width=4, blocks=0, stem=stem))(image_BCHW, image_BCHW, known_B1HW)
    middle_BCHW = raw_BCHW[..., 48:80, 48:80]
    assert (middle_BCHW.amax((2, 3)) - middle_BCHW.amin((2, 3))).max() <= 1e-5
    assert not torch.allclose(raw_BCHW, raw_BCHW[..., 64:65, 64:65], atol=1e-3), "else it proves nothing"


def test_the_prior_guides(family):
    model, batch = decoder.restore(family["decoder"]), blocks(3)
    dark, bright = (torch.full((4, 3, 16, 16), level) for level in (-0.9, 0.9))
    one, other = (model(prior, batch.image_BCHW, batch.known_B1HW) for prior in (dark, bright))
    assert not torch.allclose(one, other)


def test_none_degraded_is_the_truth_and_more_levels_disturb_more(family, accelerator):
    part, batch = make_part("decoder", family, accelerator), blocks(5)
    true_Bchw = part.teacher.true(batch)
    assert torch.equal(part.teacher.disturbed(batch, 0), true_Bchw)
    slightly, more = (part.teacher.disturbed(batch, levels) for levels in (1, 2))
    distances = [float((x - true_Bchw).abs().mean()) for x in (slightly, more)]
    assert 0 < distances[0] < distances[1]
    assert torch.equal(slightly, part.teacher.disturbed(batch, 1)), "by the images' own seeds"


@pytest.mark.parametrize("levels", [1, 2])
def test_coarser_bands_than_the_disturbed_levels_stay_the_truths(family, accelerator, levels):
    """Means over blocks of 2^levels are the truth's to rounding; inside the blocks all is moved."""
    part, batch, side = make_part("decoder", family, accelerator), blocks(5), 2**levels
    true_Bchw, disturbed_Bchw = part.teacher.true(batch), part.teacher.disturbed(batch, levels)
    means, expected = (torch.nn.functional.avg_pool2d(x.double(), side) for x in (disturbed_Bchw, true_Bchw))
    assert (means - expected).abs().max() <= 1e-6
    assert float((disturbed_Bchw - true_Bchw).abs().mean()) > 0.01


def test_more_levels_than_the_prior_has_cannot_be_disturbed(family, accelerator):
    with pytest.raises(UserError, match=r"degraded = 3, but the prior has 2 levels"):
        make_part("decoder", family, accelerator, degraded=3)


def test_a_killed_run_ends_as_an_undisturbed_one(family, accelerator):
    whole, first, second = (make_part("decoder", family, accelerator) for _ in range(3))
    learn(whole, blocks, range(4))
    learn(first, blocks, range(2))
    saved = {name: value.state_dict() for name, value in first.state().items()}
    for name, value in second.state().items():
        value.load_state_dict(saved[name])
    learn(second, blocks, range(2, 4))
    for name, tensor in whole.model.state_dict().items():
        assert torch.equal(tensor, second.model.state_dict()[name]), name
    assert not any("critic" in name for name in whole.model.state_dict()), "an adversary is not released"


def test_the_discriminator_learns_at_its_own_rate(family, accelerator):
    part = make_part("decoder", family, accelerator, discriminator_share=0.1)
    rates = [optimizer.param_groups[0]["lr"] for optimizer in (part.optimizer, part.critic_optimizer)]
    assert rates[1] == pytest.approx(0.1 * rates[0])


def test_figures_and_pictures(family, accelerator):
    part = make_part("decoder", family, accelerator)
    figures = figures_of(part, [blocks(1), blocks(2)])
    names = {f"{figure}_{prior}" for figure in ("psnr", "l1", "lpips") for prior in ("true", "sampled", "enlarged")}
    assert set(figures) == names | {"disturbance"} and all(math.isfinite(value) for value in figures.values())
    assert all(len(x) == 4 for x in part.pictures(blocks(1)).values())
    assert SPEC.size == part.pictures(blocks(1))["sampled"].shape[-1]
