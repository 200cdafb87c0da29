"""By whatever exchange: the ranks learn what one process learns, and go on with what another left."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from stages.contract import UserError
from stages.training.distributed import Ranks
from stages.training.ema import EMA
from tests.training import exchanges
from tests.training.exchanged_parts import TITLES
from tests.training.exchanges import STEPS, TURNS, WAYS, go
from tests.training.toys import bench, loop

TORCH = ("ddp", "fully_shard")


@pytest.fixture(scope="module")
def folder(tmp_path_factory, two_ranks) -> Path:
    """What a pair of processes has left."""
    folder = tmp_path_factory.mktemp("exchanges")
    with subprocess.Popen([sys.executable, "-m", "tests.training.exchanges", str(folder)], env=two_ranks) as other:
        exchanges.main(folder)
    assert other.returncode == 0
    return folder


def alike(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor], atol: float = 1e-5) -> bool:
    return a.keys() == b.keys() and all(torch.allclose(a[name], b[name], atol=atol) for name in a)


def close(folder: Path, one: str, other: str) -> bool:
    return alike(*(torch.load(folder / f"{name}.pt") for name in (one, other)))


def equal(folder: Path, one: str, other: str) -> bool:
    a, b = (torch.load(folder / f"{name}.pt") for name in (one, other))
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.long  # torchrun: three processes that import torch; five parts
def test_parts_of_one_network_learn_the_same_by_every_exchange(tmp_path):
    """As README tells."""
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    subprocess.run([*torchrun, "-m", "tests.training.exchanged_parts", str(tmp_path)], check=True, timeout=280)
    for title in TITLES:
        found = torch.load(tmp_path / f"{title.replace('/', '-')}.pt")
        by_hand = found.pop("averaged")
        assert found and all(
            torch.allclose(one[name], by_hand[name], atol=1e-4) for one in found.values() for name in one
        )


@pytest.mark.parametrize("way", WAYS)
def test_two_ranks_equal_one_process_to_rounding(folder, way):
    """With EMA, clipping and two micro-batches a step."""
    assert close(folder, f"whole/{way}", "whole/one")
    assert not close(folder, f"whole/{way}", f"noisy/{way}")


@pytest.mark.parametrize("way", WAYS)
def test_ranks_that_share_val_out_tell_what_one_process_tells_to_rounding(folder, way):
    """Of networks that are alike to rounding, also where every rank has a share of its network alone."""
    one, two = (torch.load(folder / "whole" / name / "figures.pt") for name in ("one", way))
    assert one and one == pytest.approx(two, rel=1e-4)


@pytest.mark.parametrize(("source", "way"), TURNS)
def test_any_exchange_goes_on_with_any_checkpoint(folder, source, way):
    assert close(folder, f"from-{source}/{way}", "whole/one")


@pytest.mark.parametrize("source", WAYS)
def test_one_process_goes_on_with_two_ranks_checkpoint(folder, tmp_path, source):
    shutil.copytree(folder / "stopped" / source, tmp_path / "one")
    go(tmp_path / "one", "one", Ranks())
    shutil.copy(folder / "whole" / "one.pt", tmp_path / "whole.pt")
    assert close(tmp_path, "one", "whole")


@pytest.mark.parametrize("way", WAYS)
def test_a_run_that_was_stopped_is_the_run_that_was_not_bit_for_bit(folder, way):
    """With noise in every step, and bfloat16 where torch takes it."""
    assert equal(folder, f"noisy-again/{way}", f"noisy/{way}")


@pytest.mark.parametrize("way", WAYS)
def test_a_step_is_skipped_by_all_ranks_where_one_has_no_number(folder, way):
    assert torch.load(folder / "told.pt")[way] == {"optimizer": 1}
    assert close(folder, f"spoilt/{way}", "spoilt/averaged")


def test_checkpoints_hold_plain_whole_tensors(folder):
    shapes = []
    for way in WAYS:
        state = torch.load(next((folder / "whole" / way).glob(f"step-{STEPS:09}-*")), weights_only=True)
        moments = {i: held["exp_avg"].shape for i, held in state["part"]["optimizer"]["state"].items()}
        kinds = {type(t) for part in (state["part"]["model"], state["ema"]) for t in part.values()}
        assert kinds == {torch.Tensor}
        shapes.append((moments, {name: t.shape for name, t in state["ema"].items()}))
    assert shapes[0] == shapes[1] == shapes[2]


def test_a_network_that_shares_do_not_suit_is_refused_and_learns_by_the_others(folder):
    told = torch.load(folder / "told.pt")
    whose = "toys/toy: loop.parallel: fully_shard is not for this part: "
    assert told["writing fully_shard"] == f"{whose}its network writes its own parameters; write averaged"
    aside = "it uses its network otherwise than by calling it"
    assert told["aside fully_shard"] == f"{whose}{aside}; write averaged"
    assert {told[f"{kind} {way}"] for kind in ("writing", "aside") for way in ("averaged", "ddp")} == {""}
    assert close(folder, "aside/ddp", "aside/averaged") and close(folder, "writing/ddp", "writing/averaged")


@pytest.mark.parametrize("way", TORCH)
def test_a_part_of_several_networks_is_refused(tmp_path, way):
    """Before anything is computed, on one rank as on many."""
    with pytest.raises(UserError, match=f"{way} is not for this part: it learns model, critic, optimizer, critic_opt"):
        go(tmp_path / "gan", way, Ranks(), "gan", clip=0.0)


@pytest.mark.parametrize("way", TORCH)
def test_compiling_is_refused(way):
    with pytest.raises(UserError, match=f"loop.parallel: {way} does not go together with loop.compile"):
        bench(loop(parallel=way, compile=True))


def learn(way: str, calls: int, times: int, idle: bool = False) -> None:
    accelerator, model = bench(loop(parallel=way)), nn.ModuleDict({"a": nn.Linear(1, 1), "b": nn.Linear(1, 1)})
    model.forward = lambda x: model["a"](x) + (0 if idle else model["b"](x))  # type: ignore[method-assign]
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    accelerator.attach({"model": model, "optimizer": optimizer})
    accelerator.begin(0, 0)
    loss = torch.stack([model(torch.ones(1, 1)) for _ in range(calls)] or [model["a"](torch.ones(1, 1))]).sum()
    for _ in range(times):
        accelerator.minimize(loss, optimizer)


@pytest.mark.parametrize("way", TORCH)
def test_a_step_that_is_not_one_call_and_one_backward_pass_is_refused(way):
    learn(way, 1, 1)
    for calls, times in ((0, 1), (2, 1), (1, 2)):
        with pytest.raises(UserError, match=f"its network is called {calls} times, its loss given {times}; write ave"):
            learn(way, calls, times)
    with pytest.raises(UserError, match="its loss does not reach all of its network's parameters; write averaged"):
        learn(way, 1, 1, idle=True)


def test_an_optimiser_of_other_parameters_is_refused():
    model = nn.Linear(2, 2)
    optimizer = torch.optim.SGD([model.weight], 0.1)
    with pytest.raises(UserError, match="its optimiser has other parameters than its network"):
        bench(loop(parallel="ddp")).attach({"model": model, "optimizer": optimizer})


def test_the_average_is_torchs_own_and_takes_up_its_state():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3))
    theirs = torch.optim.swa_utils.AveragedModel(model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.75))
    ours, before = EMA(model, 0.75), theirs.state_dict()
    for step in range(4):
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(torch.randn_like(parameter))
        model(torch.randn(4, 3))
        theirs.update_parameters(model)
        if step == 2:
            ours = EMA(model, 0.75)
            ours.load_state_dict(before)
        ours.update()
        before = {name: tensor.clone() for name, tensor in theirs.state_dict().items()}
    mine = ours.state_dict()
    assert mine.keys() == before.keys() and all(torch.equal(mine[name], before[name]) for name in mine)
