"""The generator's training: losses by their equations, penalties in turn, exact to resume."""

from __future__ import annotations

import copy
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F

from stages.contract import Batch, Spec
from stages.losses.adversarial import gradient_penalty
from stages.methods.mm_invertfill.prior import PriorPart
from stages.training.dry_run import DryAccelerator
from tests.methods.mm_invertfill.conftest import MADE, SPEC
from tests.methods.small import figures_of, learn

CPU = torch.device("cpu")


@pytest.fixture
def batches(batch_of):
    """batches(k): a batch of 4, a function of k."""
    return lambda k: batch_of(k, 4, SPEC.size)


def recorded(part: PriorPart) -> list[float]:
    """What the part asks to be minimised, from here on without a step."""
    seen: list[float] = []
    part.accelerator.minimize = lambda loss, optimizer: seen.append(float(loss.detach()))
    return seen


def minimised(part: PriorPart, batch: Batch) -> list[float]:
    """The same of one step, from seed 0."""
    seen = recorded(part)
    torch.manual_seed(0)
    part.step(batch)
    return seen


def test_both_players_learn_by_the_nonsaturating_game(accelerator, batches):
    """-E log D(G(z)), and -E log D(x) - E log(1 - D(G(z))) of the same pictures."""
    part, batch = MADE.part("prior", {}, accelerator, r1=0.0, path=0.0, augment=0.0), batches(0)
    found = minimised(part, batch)
    torch.manual_seed(0)
    with torch.no_grad():
        fake = part.critic(part._made(4, CPU))
        real = part.critic(batch.image_BCHW)
    expected = [-F.logsigmoid(fake).mean(), -F.logsigmoid(real).mean() - F.logsigmoid(-fake).mean()]
    assert found == pytest.approx([float(loss) for loss in expected], rel=1e-4)


def test_penalties_make_up_for_the_turns_left_out(accelerator, batches):
    """gamma / 2 * 2 * R1 and 0.7 * 3 * path length, each after its player's own descent; none where none is due."""
    part, batch = MADE.part("prior", {}, accelerator, r1=4.0, path=0.7, augment=0.0), batches(0)
    seen = recorded(part)
    torch.manual_seed(0)
    scalars = part.step(batch)
    real_BCHW = batch.image_BCHW.clone().requires_grad_()
    r1 = float(gradient_penalty("squared", part.critic(real_BCHW), real_BCHW).detach())
    assert scalars["r1"].item() == pytest.approx(r1, rel=1e-5)
    assert [seen[1], seen[3]] == pytest.approx([0.7 * 3 * scalars["path"].item(), 4.0 / 2 * 2 * r1], rel=1e-5)
    part.turns.schedule.steps = part.critic_turns.schedule.steps = 1
    scalars = part.step(batch)
    assert "r1" not in scalars and "path" not in scalars and len(seen) == 6


def test_penalties_are_in_float32_whatever_the_precision(accelerator, batches):
    part, batch = MADE.part("prior", {}, accelerator, augment=0.0), batches(0)
    seen = recorded(part)
    for enabled in (False, True):
        part.critic.path.mean.zero_()
        torch.manual_seed(0)
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            part._even_out(batch)
            part._smooth(batch.image_BCHW)
    assert seen[:2] == seen[2:]


def test_without_penalties_there_are_none_and_without_augmentation_p_stays_0(accelerator, batches):
    part = MADE.part("prior", {}, accelerator, r1=0.0, path=0.0, augment=0.0)
    scalars = learn(part, batches, range(4))
    assert all("r1" not in row and "path" not in row for row in scalars)
    assert {row["p"] for row in scalars} == {0.0}


def test_p_follows_what_is_told_of_real_pictures(part, batches):
    scalars = learn(part, batches, range(6))
    p = [0.0, *(row["p"] for row in scalars)]
    step = 4 / part.params.augment_images
    for (before, after), row in zip(pairwise(p), scalars, strict=True):
        expected = before + step if row["told_real"] > part.params.augment else before - step
        assert after == pytest.approx(max(0.0, expected), rel=1e-3, abs=1e-12)


@pytest.mark.parametrize("mixing", [0.0, 1.0])
def test_mixing_is_the_share_of_pictures_of_two_styles(accelerator, mixing: float):
    part = MADE.part("prior", {}, accelerator, mixing=mixing)
    w_BLD = part._styles(64, CPU)
    changes_B = (w_BLD[:, 1:] != w_BLD[:, :-1]).any(2).sum(1)
    assert changes_B.tolist() == [int(mixing)] * 64
    assert len(torch.unique(w_BLD[:, 0], dim=0)) == 64


def test_a_picture_is_a_function_of_its_seed(part):
    for name, parameter in part.model.named_parameters():
        if name.endswith("strength"):
            torch.nn.init.ones_(parameter)
    with torch.no_grad():
        for kept in (1.0, 0.5):
            both, alone = part.draw(torch.tensor([3, 5]), kept), part.draw(torch.tensor([5]), kept)
            assert torch.allclose(both[1:], alone, atol=1e-5) and not torch.allclose(both[0], both[1], atol=1e-3)


def test_at_the_mean_style_all_pictures_are_one_but_for_noise(part):
    with torch.no_grad():
        one, other = part.draw(torch.tensor([3, 5]), kept=0.0)
        apart = [part.draw(torch.tensor([3, 5]), kept).diff(dim=0).abs().mean() for kept in (0.5, 1.0)]
    assert torch.allclose(one, other, atol=1e-6) and 1e-3 < apart[0] < apart[1]


def test_a_killed_run_ends_as_an_undisturbed_one(accelerator, batches):
    """4 steps = 2 + everything saved and loaded into a new part + 2, in every weight and buffer of both players."""
    whole, first, second = (MADE.part("prior", {}, accelerator, r1_every=3, path_every=3) for _ in range(3))
    expected = learn(whole, batches, range(4))
    learn(first, batches, range(2))
    saved = copy.deepcopy({key: value.state_dict() for key, value in first.state().items()})
    for key, value in second.state().items():
        value.load_state_dict(saved[key])
    assert learn(second, batches, range(2, 4)) == expected[2:]
    assert {"path", "r1"} <= expected[0].keys() & expected[3].keys() - expected[1].keys() - expected[2].keys()
    for module, other in ((whole.model, second.model), (whole.critic, second.critic)):
        for key, value in module.state_dict().items():
            assert torch.equal(value, other.state_dict()[key]), key
    assert second.critic.path.mean > 0


def test_it_learns_the_colour_of_its_pictures(accelerator, batch_of):
    part = MADE.part("prior", {}, accelerator, Spec(8), lr=2e-2, r1=0.5, augment=0.0)
    red_311 = torch.tensor([0.8, -0.6, -0.6])[:, None, None]

    def painted(k: int) -> Batch:
        batch = batch_of(k, 4, 8)
        return replace(batch, image_BCHW=0.2 * batch.image_BCHW + red_311)

    before = figures_of(part, [painted(0), painted(1)])
    learn(part, painted, range(20))
    after = figures_of(part, [painted(0), painted(1)])
    assert before.keys() == after.keys() == {"fd_alexnet_8"}
    assert after["fd_alexnet_8"] < before["fd_alexnet_8"] / 5


def test_without_a_classifiers_weights_the_figure_is_left_out(bare_tools, batches):
    assert figures_of(MADE.part("prior", {}, bare_tools), [batches(0)]) == {}


def test_pictures_are_pictures_and_the_same_at_every_look(part, batches):
    shown, again = part.pictures(batches(1)), part.pictures(batches(1))
    assert set(shown) == {"image", "made", "towards_mean"}
    for name, picture_BCHW in shown.items():
        assert picture_BCHW.shape == (4, 3, SPEC.size, SPEC.size) and picture_BCHW.abs().max() <= 1
        assert torch.equal(picture_BCHW, again[name])


def test_a_dry_run_takes_every_loss_without_a_value(batches):
    batch = replace(batches(0), image_BCHW=torch.empty(4, 3, SPEC.size, SPEC.size, device="meta"))
    with torch.device("meta"):
        scalars = MADE.part("prior", {}, DryAccelerator()).step(batch)
    assert {"generator", "path", "discriminator", "r1"} <= set(scalars)
    assert all(value.is_meta for value in scalars.values())
