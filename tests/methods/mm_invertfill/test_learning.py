"""The encoder's training: losses by their equations, the generator untouched, exact to resume (paper 002, eq. 7-10)."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from stages.contract import Trained
from stages.methods.mm_invertfill import encoder
from stages.methods.mm_invertfill.blocks.guiding import Truth
from stages.methods.mm_invertfill.blocks.inversion import with_edges
from stages.methods.mm_invertfill.blocks.scale_losses import enlarged, scale_losses
from stages.training.dry_run import DryAccelerator
from tests.methods.conftest import mean_square
from tests.methods.mm_invertfill.whole import LABELLED, SIZE, blocks
from tests.methods.small import learn


def digest(tensors: Mapping[str, Tensor]) -> str:
    """One number for all of them, bit for bit."""
    return hashlib.sha256(b"".join(tensors[name].numpy().tobytes() for name in sorted(tensors))).hexdigest()


def recorded(part: encoder.EncoderPart) -> list[float]:
    """What the part asks to be minimised, from here on without a step; its critic's norms stay as they are."""
    seen: list[float] = []
    part.accelerator.minimize = lambda loss, optimizer: seen.append(loss.item())  # type: ignore[method-assign]
    part.critic.eval()
    return seen


def test_a_killed_run_ends_as_an_undisturbed_one(labelled, accelerator):
    """4 steps = 2 + everything saved and loaded into a new part + 2; what guides is drawn in every one of them."""
    whole, first, second = (LABELLED.part("encoder", labelled, accelerator) for _ in range(3))
    expected = learn(whole, blocks, range(4))
    learn(first, blocks, range(2))
    saved = copy.deepcopy({key: value.state_dict() for key, value in first.state().items()})
    for key, value in second.state().items():
        value.load_state_dict(saved[key])
    assert second.mean.steps == first.mean.steps == 1  # nothing is counted twice
    assert learn(second, blocks, range(2, 4)) == expected[2:]
    for one, other in ((whole.model, second.model), (whole.critic, second.critic)):
        assert digest(one.state_dict()) == digest(other.state_dict())
    assert torch.equal(whole.mean.target_D, second.mean.target_D) and whole.mean.steps == second.mean.steps == 3


def test_training_the_encoder_does_not_touch_the_generator(labelled, accelerator):
    before, part = digest(labelled["prior"].tensors), LABELLED.part("encoder", labelled, accelerator)
    began = digest(part.model.state_dict())
    learn(part, blocks, range(3))
    assert digest(part.inverter.generator.state_dict()) == digest(labelled["prior"].tensors) == before
    assert digest(part.model.state_dict()) != began
    learnt = {id(p) for group in part.optimizer.param_groups for p in group["params"]}
    assert learnt == {id(p) for p in part.model.parameters()}


def test_an_encoder_that_is_released_and_restored_says_the_same(labelled, accelerator):
    part = LABELLED.part("encoder", labelled, accelerator)
    learn(part, blocks, range(2))
    restored = encoder.restore(LABELLED.release("encoder", part), labelled["prior"])
    assert digest(restored.state_dict()) == digest(part.model.state_dict())
    assert not restored.training and not any(parameter.requires_grad for parameter in restored.parameters())


def told_apart(real: Tensor, fake: Tensor) -> Tensor:
    """-E log D(real) - E log(1 - D(fake))."""
    return -real.sigmoid().log().mean() - (1 - fake.sigmoid()).log().mean()


def test_both_players_learn_by_equations_7_to_10(labelled, accelerator):
    weights = {"perceptual_weight": 0.7, "adversarial": 0.6, "l1": 0.3, "multi_scale": 0.9, "scale_perceptual": 0.4}
    part = LABELLED.part("encoder", labelled, accelerator, edges_given="visible", labels_given="gt", **weights)
    batch, minimised = blocks(0), recorded(part)
    part.mean.follow(3)
    torch.manual_seed(5)
    part.step(batch)
    torch.manual_seed(5)
    truth = Truth.of(batch, 1.0)
    seen = part.inverter.see(batch.image_BCHW, batch.known_B1HW, truth.guidance(batch.known_B1HW, "visible", "gt"))
    raw_BCHW = part.inverter.generator(seen.w_BLD, part.inverter.noise(2), seen.features)
    edges_B1HW = F.interpolate(seen.restored[2].edges_B1hw.sigmoid(), size=SIZE)
    fake = part.critic(torch.cat([raw_BCHW, edges_B1HW], 1))
    real = part.critic(torch.cat([batch.image_BCHW, truth.edges_B1HW], 1))
    found = scale_losses(
        seen.restored,
        batch.image_BCHW,
        truth.edges_B1HW,
        batch.labels_BHW,
        enlarged(lambda *two: mean_square(*two).mean()),
    )
    inpainting = 0.7 * mean_square(raw_BCHW, batch.image_BCHW).mean() - 0.6 * fake.sigmoid().log().mean()
    inpainting = inpainting + 0.3 * (raw_BCHW - batch.image_BCHW).abs().mean()
    scales = found["scale_l1"] + 0.4 * found["scale_perceptual"] + found["scale_edges"] + found["scale_labels"]
    fidelity = (seen.w_BLD - part.mean.target_D).square().mean()
    expected = [inpainting + 0.9 * scales + part.params.fidelity * fidelity, told_apart(real, fake)]
    assert minimised == pytest.approx([loss.item() for loss in expected], rel=1e-4)


def test_the_mean_latent_takes_a_step_with_the_optimiser_and_not_with_a_micro_batch(labelled, accelerator):
    part = LABELLED.part("encoder", labelled, accelerator)
    learn(part, blocks, range(3))
    minimize = part.accelerator.minimize
    recorded(part)
    learn(part, blocks, range(3, 5))  # micro-batches of the fourth step
    assert part.mean.steps == part.schedule.steps == 3
    part.accelerator.minimize = minimize
    learn(part, blocks, range(5, 7))
    assert part.mean.steps == 4 and part.schedule.steps == 5


def test_a_mean_that_is_static_does_not_move_and_a_soft_one_does(labelled, accelerator):
    for kind in ("static", "soft"):
        part = LABELLED.part("encoder", labelled, accelerator, mean={"samples": 16, "kind": kind})
        before_D = part.mean.target_D
        learn(part, blocks, range(2))
        assert torch.equal(part.mean.target_D, before_D) is (kind == "static")


@pytest.mark.parametrize("edges", [True, False])
def test_the_discriminator_judges_the_picture_with_its_edges_where_there_are_some(labelled, accelerator, edges):
    part, batch = LABELLED.part("encoder", labelled, accelerator, edges=edges), blocks(0)
    seen = part.inverter.see(batch.image_BCHW, batch.known_B1HW, None)
    judged_BCHW = with_edges(batch.image_BCHW, seen)
    assert torch.equal(judged_BCHW[:, :3], batch.image_BCHW) and judged_BCHW.shape[1] == (4 if edges else 3)
    assert part.critic(judged_BCHW).shape[:2] == (2, 1)
    if edges:
        corners_B1hw = judged_BCHW[:, 3:, ::2, ::2]
        assert torch.equal(corners_B1hw, seen.restored[2].edges_B1hw.sigmoid())


def test_a_discriminator_of_pictures_alone_is_shown_no_edges(labelled, accelerator):
    part, batch, shown = LABELLED.part("encoder", labelled, accelerator, judges_edges=False), blocks(0), []
    part.critic.register_forward_pre_hook(lambda _, inputs: shown.append(inputs[0].detach()))
    part.step(batch)
    assert part.model.edges and [len(x_BCHW) for x_BCHW in shown] == [2, 4]
    assert torch.equal(shown[1], torch.cat([batch.image_BCHW, shown[0]]))


def test_without_an_adversary_the_discriminator_learns_nothing(labelled, accelerator):
    part = LABELLED.part("encoder", labelled, accelerator, adversarial=0.0)
    before = digest(part.critic.state_dict())
    (row,) = learn(part, blocks, range(1))
    assert digest(part.critic.state_dict()) == before and row["adversarial"] == row["discriminator"] == 0.0


def test_the_discriminators_rate_is_a_share_of_the_encoders(labelled, accelerator):
    part = LABELLED.part("encoder", labelled, accelerator, lr=1e-3, discriminator_share=0.05)
    rates = [group["lr"] for one in (part.optimizer, part.critic_optimizer) for group in one.param_groups]
    assert rates == pytest.approx([1e-3, 5e-5])


def test_under_bf16_losses_are_float32_and_near(labelled, accelerator):
    part = LABELLED.part("encoder", labelled, accelerator)
    recorded(part)
    rows = []
    for enabled in (False, True):
        accelerator.autocast = lambda enabled=enabled: torch.autocast("cpu", torch.bfloat16, enabled=enabled)
        torch.manual_seed(0)
        rows.append(part.step(blocks(0)))
    assert all(term.dtype == torch.float32 for term in rows[1].values())
    exact, rough = ({name: term.item() for name, term in row.items()} for row in rows)
    assert rough == pytest.approx(exact, rel=0.1, abs=0.02)


def test_a_dry_run_takes_every_loss_without_a_value(labelled):
    with torch.device("meta"):
        tensors = {name: torch.empty_like(value, device="meta") for name, value in labelled["prior"].tensors.items()}
        parents = {"prior": Trained(labelled["prior"].params, labelled["prior"].spec, tensors)}
        part = LABELLED.part("encoder", parents, DryAccelerator(), perceptual="hrf")
        batch = replace(blocks(0), image_BCHW=torch.empty(2, 3, SIZE, SIZE), known_B1HW=torch.empty(2, 1, SIZE, SIZE))
        scalars = part.step(replace(batch, labels_BHW=torch.zeros(2, SIZE, SIZE, dtype=torch.long)))
    assert all(value.is_meta for value in scalars.values())
