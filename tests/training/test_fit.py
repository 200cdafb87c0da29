"""`plurifill doctor --fit`: what a training holds is what it holds, and what fits is what fits."""

import json
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import torch
from ruamel.yaml import YAML
from torch import nn

from stages.cli import doctor, preset
from stages.contract import UserError
from stages.training import dry_run, parts
from stages.training.fit import held, search, trial
from stages.training.fit.table import Room
from stages.training.fit.trial import Asked
from tests.training.toys import CPU, bench, loop

ROOM = 2**40
VALUES: dict[str, Any] = YAML(typ="safe").load(preset.render("tiny"))


def planned(method: str, part: str, values: dict[str, Any] = VALUES) -> tuple[Any, Any, Any]:
    plan = parts.plan(values, method, part)
    return plan, parts.family(values, plan), parts.spec(values, plan)


@pytest.mark.parametrize("title", ["latent_codes/prior", "dsi/decoder", "mm_invertfill/prior"])
def test_what_a_training_holds_is_counted_without_memory_as_with_it(title: str) -> None:
    """Of one network, of two, and of two with an average."""
    plan, plans, spec = planned(*title.split("/"))
    told = held.held(plan, plans, spec)
    real = plan.build(dry_run.parents(plan, plans, spec), spec, bench(loop()))
    networks = [one for one in real.state().values() if isinstance(one, nn.Module)]
    for optimizer in held.optimisers(real):
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                parameter.grad = torch.zeros_like(parameter)
        optimizer.step()
    learnt = sum(p.nbytes for one in networks for p in one.parameters() if p.requires_grad)
    assert told.gradients == learnt > 0
    assert told.weights == sum(t.nbytes for one in networks for t in (*one.parameters(), *one.buffers()))
    assert told.optimiser == sum(held.states(one) for one in held.optimisers(real)) >= 2 * learnt
    assert told.average == (sum(p.nbytes for p in real.model.parameters()) if plan.loop.ema else 0)


def test_the_papers_prior_needs_15_gib_before_an_image() -> None:
    """0.95 billion float32 weights, their gradients and Adam's two means."""
    paper = YAML(typ="safe").load(preset.render("paper"))
    told = held.held(*planned("latent_codes", "prior", paper))
    assert told.optimiser == pytest.approx(2 * told.gradients, rel=1e-4) and told.average == 0
    assert told.total == pytest.approx(4 * 4 * 0.955e9, rel=0.02)


@pytest.mark.parametrize("batch", [1, 2, 3, 10, 24, 64])
def test_sizes_divide_the_batch(batch: int) -> None:
    found = search.sizes(batch)
    assert found == sorted(set(found)) and found[0] == 1 and found[-1] == batch
    assert all(batch % size == 0 and (size == batch or size.bit_count() == 1) for size in found)


@pytest.mark.parametrize("bend", [0.5, 1.0, 1.5])
def test_the_largest_size_that_fits_is_found_though_the_line_is_bent(bend: float) -> None:
    """Whatever the batch, the limit and the way in which memory grows; no size is tried twice."""
    for candidates, limit in product(map(search.sizes, (1, 2, 3, 24, 64)), range(0, 700, 23)):
        needs = {size: int(100 + 8 * size**bend) for size in candidates}
        left = {size: need if need <= limit else None for size, need in needs.items()}
        found = search.largest(candidates, limit, left.pop)
        assert found.fits == max((size for size in candidates if needs[size] <= limit), default=None)


def test_a_line_is_told_where_two_sizes_fit() -> None:
    found = search.largest([1, 2, 4, 8], 45, {1: 12, 2: 20, 4: 36, 8: None}.get)
    assert (found.fits, found.image, found.predicted(8)) == (4, 8.0, 68.0)
    assert search.largest([1, 2], 15, {1: 12, 2: None}.get).predicted(2) is None


def asked(images: int, limit: int = ROOM) -> Asked:
    """Of a prior whose images need more than a process's own noise: 256 tokens of four layers."""
    values = json.loads(json.dumps(VALUES))
    values["methods"]["latent_codes"]["prior"] |= {"width": 256, "layers": 4}
    values["datasets"]["photographs"]["size"] = 128
    return Asked(values, "latent_codes", "prior", images, "cpu", limit)


@pytest.mark.long  # processes that import torch
def test_a_trial_ends_within_its_limit_or_does_not_fit() -> None:
    """More images need more; between few images' need and many's the few fit alone; where torch has no room none."""
    few, many = trial.peak(asked(1)), trial.peak(asked(8))
    assert few and many and few < many
    assert trial.peak(asked(8, (few + many) // 2)) is None
    assert trial.peak(asked(1, 2**20)) is None


def test_a_mistake_in_params_is_told_as_training_tells_it() -> None:
    wrong = asked(1)
    wrong.values["methods"]["latent_codes"]["prior"]["width"] = "wide"
    with pytest.raises(UserError, match=r"methods\.latent_codes\.prior\.width"):
        trial.peak(wrong)


@pytest.fixture
def params(tmp_path: Path) -> Path:
    path = tmp_path / "params.yaml"
    path.write_text(preset.render("tiny"))
    return path


@pytest.mark.long  # trials in processes of their own
def test_the_verb_tells_a_parts_row(params: Path, capsys: pytest.CaptureFixture[str]) -> None:
    doctor.main("latent_codes", "prior", params=params, fit=True, device="cpu", as_json=True)
    told = json.loads(capsys.readouterr().out)["parts"]["latent_codes/prior"]
    assert (told["batch"], told["fits"], told["accumulate"]) == (8, 8, 1)
    assert told["peak"] > told["weights"] + told["gradients"] + told["optimiser"]


def test_where_weights_alone_are_too_many_no_trial_is_made(params: Path, capsys: pytest.CaptureFixture[str]) -> None:
    doctor.main("latent_codes", "prior", params=params, fit=True, device="cpu", memory="64K")
    head, _, row = capsys.readouterr().out.splitlines()
    assert head == "a training step in 0.1 MiB of cpu"
    assert row.split()[0] == "latent_codes/prior" and row.split()[-3:] == ["none", "none", "?"]


@pytest.mark.parametrize("text", ["4", "G", "-1G", "0M", "4Q", "infG", "nanM"])
def test_an_amount_of_memory_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UserError, match=f"--memory {text}: not an amount of memory; write 900M or 4G"):
        Room.of(CPU, text)


@pytest.mark.parametrize(
    "given", [{"method": "dsi"}, {"memory": "4G"}, {"device": "cpu"}, {"set_": ["data.dataset=x"]}], ids=str
)
def test_what_is_for_fit_is_refused_without_it(given: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="that is for --fit; add it"):
        doctor.main(**given)
