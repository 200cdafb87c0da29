"""What minimize, clip, the guard, accumulation and the average do, against their definitions."""

import copy
import math

import pytest
import torch
from torch import nn

from stages.contract import UserError
from stages.losses.style import perceptual_loss, style_loss
from stages.project import weights as weight_files
from stages.training.accelerator import TorchAccelerator
from stages.training.distributed import Ranks
from stages.training.dry_run import DryAccelerator
from stages.training.ema import EMA
from stages.training.session import lent
from tests.training.toys import BATCH, CPU, VAL, Gan, Plain, batches, bench, go, loop


def weights(module):
    return torch.cat([p.detach().reshape(-1) for p in module.parameters()])


@pytest.mark.parametrize("kind", ["plain", "gan"])
def test_accumulated_micro_batches_are_the_big_batch(tmp_path, kind):
    one = go(tmp_path / "one", loop(), kind=kind).tensors()
    four = go(tmp_path / "four", loop(accumulate=4), kind=kind).tensors()
    assert all(torch.allclose(one[name], four[name], atol=1e-5) for name in one)


def test_the_train_scalars_are_means_over_the_interval(tmp_path):
    rows = {(row[0], row[3]): row[4] for row in go(tmp_path, loop(4, log_every=1)).history.rows if row[2] == "train"}
    wide = [row for row in go(tmp_path / "wide", loop(4, log_every=4)).history.rows if row[2] == "train"]
    assert wide[0][:2] == (4, 4 * BATCH)
    assert wide[0][4] == pytest.approx(sum(rows.values()) / 4, rel=1e-5)


def test_a_step_is_plain_gradient_descent():
    accelerator, model = bench(loop()), nn.Linear(2, 1, bias=False)
    before, x = model.weight.detach().clone(), torch.tensor([[3.0, 4.0]])
    accelerator.minimize(model(x).sum(), torch.optim.SGD(model.parameters(), 0.1))
    assert torch.allclose(model.weight, before - 0.1 * x)
    assert model.weight.grad is None


def test_clipping_bounds_the_norm_of_one_optimisers_gradient():
    accelerator, model = bench(loop(clip=0.5)), nn.Linear(2, 1, bias=False)
    before = model.weight.detach().clone()
    accelerator.minimize(model(torch.tensor([[3.0, 4.0]])).sum(), torch.optim.SGD(model.parameters(), 1.0))
    assert torch.allclose(before - model.weight, torch.tensor([[0.3, 0.4]]), atol=1e-5)


def test_a_generators_loss_leaves_its_discriminator_alone():
    accelerator = bench(loop())
    part = Gan(accelerator)
    critic = weights(part.critic)
    raw_BCHW = part.model(batches(0, 0, 1).image_BCHW)
    accelerator.minimize(part.critic(raw_BCHW).mean(), part.optimizer)
    assert torch.equal(critic, weights(part.critic))
    assert all(p.grad is None for p in part.critic.parameters())


def test_parameters_without_a_gradient_are_not_moved_by_an_optimisers_momentum():
    accelerator, used, idle = bench(loop()), nn.Linear(1, 1), nn.Linear(1, 1)
    optimizer = torch.optim.Adam([*used.parameters(), *idle.parameters()], 0.1)
    accelerator.minimize(used(torch.ones(1, 1)).sum() + idle(torch.ones(1, 1)).sum(), optimizer)
    before = weights(idle)
    accelerator.minimize(used(torch.ones(1, 1)).sum(), optimizer)
    assert torch.equal(before, weights(idle))


def test_two_losses_of_one_optimiser_are_two_steps_also_when_accumulated():
    """Micro-batches 1 and 2 of losses a and b: a step by the mean of a, then one by the mean of b."""
    accelerator, weight = bench(loop(accumulate=2)), nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.Adam([weight], 0.1)
    moves = []
    optimizer.register_step_pre_hook(lambda *_: moves.append(weight.grad.item()))
    for micro, (a, b) in enumerate([(1.0, 10.0), (3.0, 30.0)]):
        accelerator.begin(0, micro)
        accelerator.minimize(a * weight.sum(), optimizer)
        accelerator.minimize(b * weight.sum(), optimizer)
    assert moves == [2.0, 20.0]


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_step_with_a_non_finite_gradient_is_skipped_and_counted_and_too_many_stop_the_run(capsys, bad):
    accelerator, model = bench(loop(nonfinite_limit=2)), nn.Linear(1, 1)
    optimizer = torch.optim.Adam(model.parameters(), 0.1)
    accelerator.attach({"critic": optimizer})
    before = weights(model)
    for step in range(2):
        accelerator.begin(step, 0)
        accelerator.minimize(model(torch.full((1, 1), bad)).sum(), optimizer)
    assert torch.equal(before, weights(model)) and accelerator.skipped["critic"] == 2
    assert "toys/toy: step 1: a gradient of critic is not finite" in capsys.readouterr().err
    accelerator.begin(2, 0)
    with pytest.raises(
        UserError, match=r"toys/toy: step 2: .* critic .* \(loss -?(nan|inf)\), more than 2 steps in a row"
    ):
        accelerator.minimize(model(torch.full((1, 1), bad)).sum(), optimizer)


def test_a_good_step_ends_the_row_and_counts_survive_a_restart():
    accelerator, model = bench(loop(nonfinite_limit=1)), nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    for value in (math.nan, 1.0, math.nan):
        accelerator.minimize(model(torch.full((1, 1), value)).sum(), optimizer)
    again = bench(loop(nonfinite_limit=1))
    again.load_state_dict(accelerator.state_dict())
    assert again.skipped["optimizer"] == 2
    with pytest.raises(UserError):
        again.minimize(model(torch.full((1, 1), math.nan)).sum(), optimizer)


def test_the_average_is_its_definition_and_swapping_is_undone():
    torch.manual_seed(0)
    model, expected = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3)), None
    average = EMA(model, 0.75)
    for _ in range(5):
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(torch.randn_like(parameter))
        model(torch.randn(4, 3))
        average.update()
        expected = weights(model) if expected is None else 0.75 * expected + 0.25 * weights(model)
    own, tensors = weights(model), list(model.parameters())
    with average.swapped():
        assert torch.allclose(weights(model), expected, atol=1e-6)
    assert torch.equal(own, weights(model))
    assert all(a is b for a, b in zip(tensors, model.parameters(), strict=True))


def val_mse(part) -> float:
    return sum(Plain.measure(part, batch).means()["mse"] for batch in VAL) / len(VAL)


def test_the_averaged_weights_are_evaluated_and_released(tmp_path):
    done = go(tmp_path, loop(4, ema=0.9))
    part = done.run.part
    assert not torch.equal(weights(part.model), torch.cat([t.reshape(-1) for t in done.tensors().values()]))
    twin = copy.deepcopy(part.model)
    twin.load_state_dict(done.tensors())
    with torch.no_grad():
        mse = val_mse(part)
        part.model.load_state_dict(done.tensors())
        averaged = val_mse(part)
    assert done.history.figures()["final"]["mse"] == pytest.approx(averaged) != pytest.approx(mse, rel=1e-9)


def test_a_perceptual_net_that_cannot_be_had_is_told_once_and_recorded(capsys):
    accelerator = bench(loop())
    assert accelerator.perceptual("vgg") is None and accelerator.perceptual("vgg") is None
    assert accelerator.left_out() == ["perceptual:vgg"]
    assert capsys.readouterr().err.count("no weights for LPIPS-vgg") == 1


def test_maps_that_cannot_be_had_are_told_once_and_recorded(capsys):
    accelerator = bench(loop())
    assert accelerator.features("vgg") is None and accelerator.features("vgg") is None
    assert accelerator.left_out() == ["features:vgg"]
    assert capsys.readouterr().err.count("no weights for the maps of vgg") == 1
    assert accelerator.perceptual("alex") is None
    assert accelerator.left_out() == ["perceptual:alex", "features:vgg"]


def test_maps_are_looked_for_once_and_lent_frozen():
    asked: list[str] = []

    def find(net):
        asked.append(net)
        return nn.Sequential(nn.Conv2d(3, 4, 3), nn.Dropout())

    accelerator = TorchAccelerator("toys/toy", loop(), CPU, Ranks(), lambda net: None, find, lambda device: None)
    maps = accelerator.features("alex")
    assert accelerator.features("alex") is maps and asked == ["alex"]
    assert not maps.training and not any(p.requires_grad for p in maps.parameters())
    assert accelerator.left_out() == []


def test_a_net_counts_as_in_the_losses_where_gradients_came_through_it_and_not_for_figures():
    def find(net):
        return nn.Bilinear(2, 2, 1)

    made_BD, real_BD = torch.zeros(1, 2, requires_grad=True), torch.zeros(1, 2)
    first, again = (TorchAccelerator("toy", loop(), CPU, Ranks(), find, find, lambda device: None) for _ in range(2))
    nets = {net: first.perceptual(net) for net in ("alex", "vgg", "squeeze")}
    with torch.no_grad():
        nets["vgg"](made_BD, real_BD)
    nets["vgg"](made_BD.detach(), real_BD)
    assert first.in_losses == set()
    nets["alex"](made_BD, real_BD)
    first.features("resnet50_seg")(made_BD, real_BD)
    again.load_state_dict(first.state_dict())
    assert first.in_losses == again.in_losses == {"alex", "resnet50_seg"}


def test_the_config_tells_of_maps_only_where_some_were_asked_for(tmp_path, monkeypatch):
    """So that parts which ask for none keep the fingerprint that they had."""
    monkeypatch.setenv("PLURIFILL_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    gone = weight_files.Weights((tmp_path / "vgg16-397923af.pth").as_uri(), {"vgg16-397923af.pth": "397923af"})
    monkeypatch.setitem(weight_files.TABLE, "vgg16", gone)
    accelerator = bench(loop())
    assert lent(accelerator) == {"perceptual": {}}
    accelerator.perceptual("vgg")
    assert lent(accelerator) == {"perceptual": {"vgg": "absent"}}
    accelerator.features("vgg")
    assert lent(accelerator) == {"perceptual": {"vgg": "absent"}, "features": {"vgg": "absent"}}


def test_a_dry_run_takes_the_losses_of_maps_without_a_value():
    with torch.device("meta"):
        accelerator = DryAccelerator()
        fake, real = (accelerator.features("vgg")(torch.zeros(2, 3, 16, 16)) for _ in range(2))
        loss = perceptual_loss(fake, real) + style_loss(fake, real)
    accelerator.minimize(loss, torch.optim.SGD([nn.Parameter(torch.zeros(1))], 0.1))
    assert loss.is_meta


def test_bf16_is_asked_for_or_found():
    accelerator = bench(loop(amp="bf16"))
    with accelerator.autocast():
        assert accelerator.prepare(nn.Linear(2, 2))(torch.ones(1, 2)).dtype == torch.bfloat16
    assert bench(loop(amp="off")).bf16 is False


def test_compiling_is_left_off_on_a_cpu_and_that_is_told(capsys):
    accelerator = bench(loop(compile=True))
    assert accelerator.prepare(nn.Linear(1, 1))._compiled_call_impl is None
    assert capsys.readouterr().err.count("loop.compile is left off") == 1


def test_channels_last_is_a_layout_and_not_another_network(tmp_path):
    flat, last = (go(tmp_path / str(on), loop(channels_last=on)).tensors() for on in (False, True))
    assert all(torch.allclose(flat[name], last[name], atol=1e-5) for name in flat)
