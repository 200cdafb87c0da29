"""The structural prior: exact both ways, before and after training; blind to holes; exact to resume."""

from __future__ import annotations

import math

import pytest
import torch

from stages.contract import Batch, Spec, UserError
from stages.methods.flow_fill import prior
from stages.methods.flow_fill.blocks.depth import continuous, dequantised, picture
from stages.methods.flow_fill.blocks.noise import degraded
from stages.nets.seeded import generators
from tests.methods.flow_fill.conftest import SMALL, SPEC, blocks, learn, make_part, release
from tests.methods.small import figures_of


@pytest.mark.parametrize("trained", [False, True])
def test_the_inverse_undoes_the_flow_before_and_after_training(trained, family, accelerator):
    batch = blocks(50)
    for dtype, within in ((torch.float32, 1e-4), (torch.float64, 1e-9)):
        model = prior.restore(family["prior"]) if trained else make_part("prior", {}, accelerator).model.eval()
        model = model.double() if dtype == torch.float64 else model
        x_Bchw = dequantised(model.shrunk(batch.image_BCHW), model.bits, generators(batch.seeds_B)).to(dtype)
        conditions = model.conditions(batch.image_BCHW.to(dtype), batch.known_B1HW.to(dtype))
        latents, _ = model.encode(x_Bchw, conditions)
        assert (model.flow.inverse(latents, conditions) - x_Bchw).abs().max() <= within


def test_training_lowers_the_bits_and_uses_the_condition(accelerator):
    part = make_part("prior", {}, accelerator)
    before = figures_of(part, [blocks(90)])
    curve = [row["bits_per_dim"] for row in learn(part, blocks, range(20))]
    after = figures_of(part, [blocks(90)])
    assert curve[-1] < curve[0] and after["bits_per_dim"] < before["bits_per_dim"]
    assert after["bits_per_dim"] < after["bits_per_dim_features_zeroed"]
    assert after["drift"] < before["drift"]
    assert after["inverse_error"] <= 1e-4 and after["spread"] > 0


def test_the_bits_are_those_of_the_density(accelerator):
    """An untrained flow only turns x, so its density is that of a standard normal at x."""
    model, batch = make_part("prior", {}, accelerator).model.eval(), blocks(0)
    x_Bchw = dequantised(model.shrunk(batch.image_BCHW), 5, generators(batch.seeds_B))
    normal_B = -0.5 * (x_Bchw.square() + math.log(2 * math.pi)).sum((1, 2, 3))
    expected_B = 5 - normal_B / (math.log(2) * 3 * 16 * 16)
    assert torch.allclose(model(x_Bchw, batch.image_BCHW, batch.known_B1HW)[0], expected_B, atol=1e-5)


@pytest.mark.parametrize("draft", [0.0, 2.0])
def test_no_hole_content_enters_not_even_nan(draft, accelerator):
    part, batch = make_part("prior", {}, accelerator, draft=draft), blocks(3)
    learn(part, blocks, range(2))
    model = part.model.eval().requires_grad_(False)
    for content in (torch.randn_like(batch.image_BCHW), torch.full_like(batch.image_BCHW, math.nan)):
        other_BCHW = torch.where(batch.known_B1HW > 0, batch.image_BCHW, content)
        pairs = zip(
            model.conditions(batch.image_BCHW, batch.known_B1HW),
            model.conditions(other_BCHW, batch.known_B1HW),
            strict=True,
        )
        assert all(torch.equal(one, other) for one, other in pairs)


def test_a_draft_learns_by_its_own_loss_and_by_none_where_it_weighs_nothing(accelerator):
    part = make_part("prior", {}, accelerator, draft=10.0)
    before = figures_of(part, [blocks(90)])["draft"]
    assert set(learn(part, lambda k: blocks(90), range(20))[0]) == {"bits_per_dim", "draft_l1"}
    assert figures_of(part, [blocks(90)])["draft"] < 0.9 * before and "draft" in part.pictures(blocks(90))
    plain = make_part("prior", {}, accelerator)
    assert set(learn(plain, blocks, range(1))[0]) == {"bits_per_dim"} and "draft" not in figures_of(plain, [blocks(90)])


@pytest.mark.parametrize("draft", [0.0, 2.0])
def test_the_condition_has_the_draft_in_the_hole_where_it_learns(draft, accelerator):
    """Of what ft is made of, the inputs alone are left: another draft is another ft in the hole, and nowhere else."""
    model, batch = make_part("prior", {}, accelerator, draft=draft).model.eval().requires_grad_(False), blocks(3)
    for n, select in enumerate(model.extractor.select):
        select.weight[:, 4 * 4 ** (n + 1) :] = 0
    before = model.conditions(batch.image_BCHW, batch.known_B1HW)
    model.extractor.to_image.bias += 1
    for ft_BChw, was_BChw in zip(model.conditions(batch.image_BCHW, batch.known_B1HW), before, strict=True):
        differs_B1hw = (ft_BChw != was_BChw).any(1, keepdim=True)
        hole_B1hw = torch.nn.functional.adaptive_max_pool2d(1 - batch.known_B1HW, ft_BChw.shape[-1]) > 0
        assert torch.equal(differs_B1hw, hole_B1hw if draft else torch.zeros_like(hole_B1hw))


@pytest.mark.parametrize("changes", [{"permutation": "haar"}, {"permutation": "learned"}, {"injector": False}])
def test_every_kind_of_flow_learns_and_is_released(changes, accelerator, batch_of):
    part, batch = make_part("prior", {}, accelerator, **changes), batch_of(90)
    curve = [row["bits_per_dim"] for row in learn(part, batch_of, range(10))]
    assert curve[-1] < curve[0] and figures_of(part, [batch])["inverse_error"] <= 1e-4
    model = prior.restore(release("prior", part, **changes))
    x_Bchw = dequantised(model.shrunk(batch.image_BCHW), 5, generators(batch.seeds_B))
    expected_B, _ = part.model.eval()(x_Bchw, batch.image_BCHW, batch.known_B1HW)
    assert torch.equal(model(x_Bchw, batch.image_BCHW, batch.known_B1HW)[0], expected_B)


def test_a_killed_run_ends_as_an_undisturbed_one(accelerator):
    whole, first, second = (make_part("prior", {}, accelerator) for _ in range(3))
    learn(whole, blocks, range(4))
    learn(first, blocks, range(2))
    saved = {name: value.state_dict() for name, value in first.state().items()}
    for name, value in second.state().items():
        value.load_state_dict(saved[name])
    learn(second, blocks, range(2, 4))
    for name, tensor in whole.model.state_dict().items():
        assert torch.equal(tensor, second.model.state_dict()[name]), name


@pytest.mark.parametrize("level", [-1.0, 1.0, 0.0])
def test_constant_and_saturated_images_give_no_nan(level, accelerator):
    part = make_part("prior", {}, accelerator)
    image_BCHW = torch.full((4, 3, 32, 32), level)
    batch = Batch(image_BCHW, blocks(0).known_B1HW, ("a", "b", "c", "d"), torch.arange(4))
    for _ in range(5):
        assert math.isfinite(float(part.step(batch)["bits_per_dim"]))
    assert all(math.isfinite(value) for value in figures_of(part, [batch]).values())


def test_levels_and_noise_share_a_value_out():
    image_BCHW = torch.linspace(-1, 1, 256).expand(2, 3, 4, 256)
    x_BCHW = dequantised(image_BCHW, 5, generators(torch.arange(2)))
    assert x_BCHW.min() >= -0.5 and x_BCHW.max() < 0.5
    assert torch.equal(torch.floor((x_BCHW + 0.5) * 32)[0, 0, 0], torch.arange(256).div(8, rounding_mode="floor"))
    assert not torch.equal(x_BCHW[0], x_BCHW[1]), "each image has its own noise"
    assert torch.equal(x_BCHW[1:], dequantised(image_BCHW[1:], 5, generators(torch.tensor([1]))))
    assert torch.allclose(picture(continuous(image_BCHW)), image_BCHW, atol=1e-6)


def test_degradation_replaces_whole_levels_of_z_the_finest_first():
    z = [torch.zeros(2, 6, 4, 4), torch.zeros(2, 24, 2, 2)]
    for levels in (0, 1, 2):
        done = degraded(z, generators(torch.arange(2)), levels)
        assert [bool((z_BCHW != 0).all()) for z_BCHW in done] == [n < levels for n in range(2)]
        assert all(torch.equal(one, other) for one, other in zip(done[levels:], z[levels:], strict=True))
    alone = degraded([z_BCHW[1:] for z_BCHW in z], generators(torch.tensor([1])), 2)
    assert all(torch.equal(one, other[1:]) for one, other in zip(alone, done, strict=True)), "by each image's own seed"


@pytest.mark.parametrize(
    ("size", "share", "side", "levels"),
    [
        *((256, side / 256, side, 4) for side in (32, 48, 64, 96, 256)),  # Table 4
        *((64, side / 64, side, levels) for side, levels in ((8, 3), (12, 2), (16, 4), (24, 3), (64, 4))),
    ],
)
@pytest.mark.filterwarnings("ignore:flow_fill")
def test_stage_one_sizes_of_the_paper_and_the_levels_that_fit(size, share, side, levels):
    sizes = prior.Params(stage1=share, levels=4)
    assert (sizes.side(Spec(size)), sizes.fitting_levels(Spec(size))) == (side, levels)


def test_fewer_levels_are_said():
    with pytest.warns(UserWarning, match="2 levels, not 4"):
        prior.Params(stage1=0.1875, levels=4).fitting_levels(Spec(64))


@pytest.mark.parametrize("share", [0.3, 0.03125])
def test_a_share_that_gives_no_size_is_refused(share):
    with pytest.raises(UserError, match="stage1"):
        prior.Params(stage1=share).side(Spec(64))


@pytest.mark.filterwarnings("ignore:flow_fill")
@pytest.mark.parametrize("share", [0.375, 0.25])
def test_odd_sides_are_learnt_too(share, accelerator):
    part = make_part("prior", {}, accelerator, stage1=share, stem=1, levels=4)  # 12 px: maps of 12, 6, 3
    batch = blocks(0)
    assert math.isfinite(float(part.step(batch)["bits_per_dim"]))
    assert figures_of(part, [batch])["inverse_error"] <= 1e-4


def test_rates_rise_and_are_halved():
    rate = prior.Params(lr=1.0, warmup_steps=1, halve_at=(10, 20))
    assert [rate.at(step) for step in (0, 1, 9, 10, 19, 20)] == [0.5, 1.0, 1.0, 0.5, 0.5, 0.25]


def test_figures_are_of_all_batches_and_by_hole_ratio(accelerator):
    part, one = make_part("prior", {}, accelerator), blocks(1)
    few = Batch(one.image_BCHW[:1], torch.ones_like(one.known_B1HW[:1]), ("a",), one.seeds_B[:1])
    figures = figures_of(part, [one, few])
    assert figures["bits_per_dim_hole_20_40"] != figures["bits_per_dim"], "the unmasked image is in no bucket"
    assert figures["side"] == 16 and figures["levels"] == 2


def test_pictures_are_small_images(accelerator):
    shown = make_part("prior", {}, accelerator).pictures(blocks(0))
    assert {tuple(x.shape) for x in shown.values()} == {(4, 3, 16, 16)}


def test_a_released_prior_is_the_learnt_one(family):
    model = prior.restore(family["prior"])
    assert not model.training and not any(p.requires_grad for p in model.parameters())
    assert SMALL["prior"]["stage1"] * SPEC.size == model.side
