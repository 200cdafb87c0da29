"""A flow's theorems: inverses, log-determinants, a density, ActNorm's beginning, degenerate channels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
import torch.multiprocessing as mp
from torch import Tensor, nn

from stages.nets.actnorm import ActNorm
from stages.nets.coupling import Coupling, Injector, soft_clamp
from stages.nets.glow import ConditionalGlow, FlowShape, FlowStep, standard_normal
from stages.nets.haar import haar
from stages.nets.learned_permutation import LearnedPermutation
from stages.nets.permutation import SoftPermutation
from stages.nets.split import Split
from stages.nets.squeeze import Squeeze

HIDDEN = 6
SHAPE = FlowShape(channels=3, levels=2, steps=2, hidden=HIDDEN, condition=5, kernel=3, clamp=2.0)


def stirred(module: nn.Module, scale: float = 0.3) -> nn.Module:
    """Away from the identity that a flow begins as: every parameter moved at random."""
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(scale * torch.randn(parameter.shape, generator=generator, dtype=parameter.dtype))
    return module.eval()


def layers() -> dict[str, tuple[Callable[[], nn.Module], int]]:
    """Each layer on 4 channels, and how many channels its condition has."""
    return {
        "squeeze": (Squeeze, 1),
        "actnorm": (lambda: ActNorm(4), 1),
        "permutation": (lambda: SoftPermutation(4), 1),
        "learned permutation": (lambda: LearnedPermutation(4), 1),
        "coupling": (lambda: Coupling(4, HIDDEN, 2.0), HIDDEN),
        "injector": (lambda: Injector(4, HIDDEN, 2.0), HIDDEN),
        "step": (lambda: FlowStep(4, SHAPE), 2 * HIDDEN),
        "step of a learned permutation": (lambda: FlowStep(4, replace(SHAPE, permutation="learned")), 2 * HIDDEN),
        "step without injector": (lambda: FlowStep(4, replace(SHAPE, injector=False)), HIDDEN),
    }


def made(name: str, dtype: torch.dtype = torch.float64) -> tuple[nn.Module, Tensor, Tensor]:
    """A stirred layer, its input (2, 4, 4, 4) and its condition."""
    make, channels = layers()[name]
    torch.manual_seed(0)
    return (
        stirred(make().to(dtype)),
        torch.randn(2, 4, 4, 4, dtype=dtype),
        torch.randn(2, channels, 4, 4, dtype=dtype),
    )


def jacobian_logdet(function: Callable[[Tensor], Tensor], x_BCHW: Tensor) -> Tensor:
    """log |det| by autograd, one image at a time."""
    rows = []
    for x_CHW in x_BCHW:
        square = torch.autograd.functional.jacobian(lambda flat, x=x_CHW: function(flat.view_as(x)), x_CHW.flatten())
        rows.append(torch.linalg.slogdet(square)[1])
    return torch.stack(rows)


def flat(latents: list[Tensor]) -> Tensor:
    return torch.cat([z_BCHW.flatten(1) for z_BCHW in latents], 1)


def glow(dtype: torch.dtype = torch.float64, shape: FlowShape = SHAPE) -> tuple[ConditionalGlow, Tensor, list[Tensor]]:
    """A stirred flow, input (2, 3, 8, 8) and conditions for 2 levels."""
    torch.manual_seed(1)
    flow = stirred(ConditionalGlow(shape).to(dtype), 0.1)
    conditions = [torch.randn(2, 5, 4, 4, dtype=dtype), torch.randn(2, 5, 2, 2, dtype=dtype)]
    return flow, torch.randn(2, 3, 8, 8, dtype=dtype), conditions[: shape.levels]


@pytest.mark.parametrize("name", layers())
def test_a_layers_inverse_undoes_it(name):
    layer, x_BCHW, condition_BCHW = made(name)
    z_BCHW, _ = layer(x_BCHW, condition_BCHW)
    assert (layer.inverse(z_BCHW, condition_BCHW) - x_BCHW).abs().max() <= 1e-12
    assert name == "squeeze" or not torch.allclose(z_BCHW, x_BCHW, atol=1e-2), "an identity would prove nothing"


@pytest.mark.parametrize("name", layers())
def test_a_layers_logdet_is_autograds(name):
    layer, x_BCHW, condition_BCHW = made(name)
    _, logdet_B = layer(x_BCHW[:1], condition_BCHW[:1])
    expected_B = jacobian_logdet(lambda x: layer(x[None], condition_BCHW[:1])[0].flatten(), x_BCHW[:1])
    assert torch.allclose(logdet_B, expected_B, atol=1e-10)


def test_a_splits_inverse_and_logdet():
    torch.manual_seed(0)
    split = stirred(Split(4, 2.0).double())
    x_BCHW = torch.randn(2, 4, 2, 2, dtype=torch.float64)
    kept_BCHW, z_BCHW, logdet_B = split(x_BCHW)
    assert (split.inverse(kept_BCHW, z_BCHW) - x_BCHW).abs().max() <= 1e-12
    expected_B = jacobian_logdet(lambda x: flat(list(split(x[None])[:2]))[0], x_BCHW)
    assert torch.allclose(logdet_B, expected_B, atol=1e-10)


@pytest.mark.parametrize(("dtype", "within"), [(torch.float32, 1e-4), (torch.float64, 1e-9)])
def test_the_whole_flows_inverse_undoes_it(dtype, within):
    flow, x_BCHW, conditions = glow(dtype)
    latents, _ = flow(x_BCHW, conditions)
    assert (flow.inverse(latents, conditions) - x_BCHW).abs().max() <= within
    assert [tuple(z.shape[1:]) for z in latents] == SHAPE.latents(8)


def test_the_whole_flows_logdet_is_autograds():
    flow, x_BCHW, conditions = glow()
    first = [condition_BCHW[:1] for condition_BCHW in conditions]
    _, logdet_B = flow(x_BCHW[:1], first)
    expected_B = jacobian_logdet(lambda x: flat(flow(x[None], first)[0])[0], x_BCHW[:1])
    assert torch.allclose(logdet_B, expected_B, atol=1e-8)


def test_a_conditions_row_serves_its_consecutive_samples():
    flow, x_BCHW, conditions = glow()
    x_RCHW = torch.cat([x_BCHW[:1], x_BCHW[:1] + 0.1, x_BCHW[1:], x_BCHW[1:] - 0.1])
    together, _ = flow(x_RCHW, conditions)
    alone, _ = flow(x_RCHW, [condition_BCHW.repeat_interleave(2, 0) for condition_BCHW in conditions])
    assert torch.allclose(flat(together), flat(alone), atol=1e-12)
    assert torch.allclose(flow.inverse(together, conditions), x_RCHW, atol=1e-9)


def test_the_condition_matters():
    flow, x_BCHW, conditions = glow()
    latents, logdet_B = flow(x_BCHW, conditions)
    other, other_B = flow(x_BCHW, [condition_BCHW + 1 for condition_BCHW in conditions])
    assert not torch.allclose(flat(latents), flat(other)) and not torch.allclose(logdet_B, other_B)


def test_a_two_dimensional_density_integrates_to_one():
    torch.manual_seed(3)
    steps = [stirred(FlowStep(2, replace(SHAPE, clamp=0.5)).double(), 0.25) for _ in range(2)]
    side, count = 24.0, 301
    axis = torch.linspace(-side, side, count, dtype=torch.float64)
    x_BCHW = torch.cartesian_prod(axis, axis)[:, :, None, None]
    condition_BCHW = torch.randn(1, 2 * HIDDEN, 1, 1, dtype=torch.float64)
    logdet_B = torch.zeros(len(x_BCHW), dtype=torch.float64)
    with torch.no_grad():
        for step in steps:
            x_BCHW, more_B = step(x_BCHW, condition_BCHW)
            logdet_B = logdet_B + more_B
    density_B = (standard_normal([x_BCHW]) + logdet_B).exp()
    assert density_B.sum().item() * (2 * side / (count - 1)) ** 2 == pytest.approx(1, abs=1e-3)
    assert density_B.max() > 1e-3, "all of it must lie on the grid"


def test_the_fused_product_is_the_two_layers_in_turn():
    step, x_BCHW, condition_BCHW = made("step")
    fused_BCHW, logdet_B = step(x_BCHW, condition_BCHW)
    for_coupling_BCHW, for_injector_BCHW = condition_BCHW.chunk(2, 1)
    z_BCHW, first_B = step.norm(x_BCHW)
    z_BCHW, second_B = step.permutation(z_BCHW)
    z_BCHW, third_B = step.coupling(z_BCHW, for_coupling_BCHW)
    z_BCHW, fourth_B = step.injector(z_BCHW, for_injector_BCHW)
    assert torch.allclose(fused_BCHW, z_BCHW, atol=1e-12)
    assert torch.allclose(logdet_B, first_B + second_B + third_B + fourth_B, atol=1e-12)


def test_the_permutation_is_orthogonal_in_every_precision_and_saved():
    torch.manual_seed(0)
    permutation = SoftPermutation(24)
    eye_CC = torch.eye(24, dtype=torch.float64)
    assert torch.allclose(permutation.weight_CC @ permutation.weight_CC.T, eye_CC, atol=1e-14)
    other = SoftPermutation(24)
    other.load_state_dict(permutation.state_dict())
    assert torch.equal(other.weight_CC, permutation.weight_CC)
    assert not list(permutation.parameters()), "fixed: it learns nothing"


def test_a_learned_permutation_begins_orthogonal_and_learns():
    permutation = LearnedPermutation(24)
    weight_CC = permutation.weight_CC.detach().double()
    assert torch.allclose(weight_CC @ weight_CC.T, torch.eye(24, dtype=torch.float64), atol=1e-6)
    z_BCHW, logdet_B = permutation(torch.randn(1, 24, 2, 2))
    (z_BCHW.square().sum() - logdet_B.sum()).backward()
    assert permutation.weight_CC.grad.abs().max() > 0


@pytest.mark.parametrize("channels", [3, 6])
def test_haars_matrix_is_orthogonal_and_squeezes_flat_blocks_into_their_means_alone(channels):
    matrix_CC = haar(channels, opponents=channels == 3)
    assert torch.allclose(matrix_CC @ matrix_CC.T, torch.eye(4 * channels, dtype=torch.float64), atol=1e-15)
    flat_BCHW = torch.randn(2, channels, 2, 2, dtype=torch.float64).repeat_interleave(2, 2).repeat_interleave(2, 3)
    bands_BCHW = torch.einsum("oc,bchw->bohw", matrix_CC, Squeeze()(flat_BCHW)[0])
    assert bands_BCHW[:, channels:].abs().max() <= 1e-14 < bands_BCHW[:, :channels].abs().max()
    grey_BCHW = torch.randn(1, 1, 4, 4, dtype=torch.float64).expand(1, 3, 4, 4)
    colours_BCHW = torch.einsum("oc,bchw->bohw", haar(3, opponents=True), Squeeze()(grey_BCHW)[0])
    coloured = [n for n in range(12) if n % 3]
    assert colours_BCHW[:, coloured].abs().max() <= 1e-14, "what is grey has light alone, in every band"


@pytest.mark.parametrize("steps", [1, 2, 4])
def test_haars_levels_are_fixed_keep_volume_and_end_in_bands(steps):
    """W of all steps, one after the other, is Haar's matrix: the last one undoes the random ones."""
    torch.manual_seed(0)
    flow = ConditionalGlow(replace(SHAPE, steps=steps, permutation="haar"))
    for number, level in enumerate(flow.levels):
        weights = [step.permutation.weight_CC for step in level.steps]
        eye_CC = torch.eye(len(weights[0]), dtype=torch.float64)
        assert all(torch.allclose(w_CC @ w_CC.T, eye_CC, atol=1e-14) for w_CC in weights)
        assert torch.allclose(torch.linalg.multi_dot([*weights[::-1], eye_CC]), haar(3 * 2**number, number == 0))
        assert steps < 3 or not torch.allclose(weights[1], eye_CC, atol=0.1), "those between are random"
        assert not any(name.endswith("weight_CC") for name, _ in level.named_parameters())
    x_BCHW = torch.randn(2, 3, 8, 8)
    latents, logdet_B = flow.eval()(x_BCHW, [torch.zeros(2, 5, 4, 4), torch.zeros(2, 5, 2, 2)])
    assert torch.equal(logdet_B, torch.zeros(2)), "an untrained flow only turns x"
    assert torch.allclose(flat(latents).norm(dim=1), x_BCHW.flatten(1).norm(dim=1), rtol=1e-5)


@pytest.mark.parametrize("permutation", ["haar", "learned"])
@pytest.mark.parametrize("injector", [True, False])
def test_every_kind_of_flow_has_its_inverse_and_its_logdet(permutation, injector):
    flow, x_BCHW, conditions = glow(shape=replace(SHAPE, permutation=permutation, injector=injector))
    latents, _ = flow(x_BCHW, conditions)
    assert (flow.inverse(latents, conditions) - x_BCHW).abs().max() <= 1e-9
    first = [condition_BCHW[:1] for condition_BCHW in conditions]
    expected_B = jacobian_logdet(lambda x: flat(flow(x[None], first)[0])[0], x_BCHW[:1])
    assert torch.allclose(flow(x_BCHW[:1], first)[1], expected_B, atol=1e-8)


def test_actnorm_normalises_its_first_training_batch_and_no_other():
    norm = ActNorm(3)
    x_BCHW = 5 + 3 * torch.randn(8, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    norm.eval()
    assert torch.equal(norm(x_BCHW)[0], x_BCHW), "evaluation sets nothing"
    norm.train()
    z_BCHW, _ = norm(x_BCHW)
    assert torch.allclose(z_BCHW.mean((0, 2, 3)), torch.zeros(3), atol=1e-5)
    assert torch.allclose(z_BCHW.var((0, 2, 3), correction=0), torch.ones(3), atol=1e-4)
    before = {name: value.clone() for name, value in norm.state_dict().items()}
    norm(2 * x_BCHW + 1)
    assert all(torch.equal(value, before[name]) for name, value in norm.state_dict().items())


def test_actnorms_state_survives_kill_and_resume():
    killed, resumed = ActNorm(3), ActNorm(3)
    killed(5 + torch.randn(8, 3, 4, 4, generator=torch.Generator().manual_seed(0)))
    resumed.load_state_dict(killed.state_dict())
    resumed.train()(torch.randn(8, 3, 4, 4))  # would set everything anew, had the flag not been saved
    assert all(torch.equal(value, killed.state_dict()[name]) for name, value in resumed.state_dict().items())


def test_a_constant_channel_gives_no_nan():
    norm = ActNorm(2)
    z_BCHW, logdet_B = norm(torch.full((4, 2, 2, 2), 0.5))
    assert torch.isfinite(z_BCHW).all() and torch.isfinite(logdet_B).all()


def test_log_scales_are_clamped_softly():
    raw = torch.linspace(-1e6, 1e6, 2001, dtype=torch.float64)
    assert soft_clamp(raw, 2.0).abs().max() <= 2
    small = torch.tensor([1e-6], dtype=torch.float64)
    assert torch.allclose(soft_clamp(small, 2.0) / small, torch.ones(1, dtype=torch.float64), atol=1e-6)


def _rank(rank: int, world: int, address: str, results: str) -> None:
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", init_method=f"file://{address}", rank=rank, world_size=world)
    norm = ActNorm(3)
    norm(torch.randn(4, 3, 4, 4, generator=torch.Generator().manual_seed(rank)) * (1 + rank))
    torch.save(norm.state_dict(), f"{results}/{rank}.pt")
    torch.distributed.destroy_process_group()


def test_ranks_set_actnorm_alike_by_all_of_the_batch(tmp_path):
    arguments = (2, str(tmp_path / "meet"), str(tmp_path))
    mp.start_processes(_rank, arguments, nprocs=2, start_method="fork")  # fork: torch need not be imported again
    first, second = (torch.load(tmp_path / f"{rank}.pt") for rank in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)
    whole = [torch.randn(4, 3, 4, 4, generator=torch.Generator().manual_seed(rank)) * (1 + rank) for rank in range(2)]
    alone = ActNorm(3)
    alone(torch.cat(whole))
    assert all(torch.allclose(alone.state_dict()[name], first[name], atol=1e-6) for name in first)


def test_low_precision_networks_leave_the_flows_arithmetic_in_float32():
    flow, x_BCHW, conditions = glow(torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        latents, logdet_B = flow(x_BCHW, conditions)
    assert {z.dtype for z in latents} == {torch.float32} and logdet_B.dtype == torch.float32
