"""Points, their names and their order; what is not there is refused in one line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from flows.errors import InvalidRequest
from flows.graph import Stage
from flows.sweep_spec import SweepRequest, overridden, schedule
from tests.flows.toy import PARAMS, ROOT

GRAPH = {name: Stage(name, "cpu", (), (), "") for name in ("benchmark@toy", "benchmark@rival")}
RATE, HEAT = "methods.toy.train.rate", "methods.toy.inpaint.heat"


def test_a_named_grid_is_all_combinations_with_readable_names():
    sweep = SweepRequest("grid").resolve(PARAMS, GRAPH)
    assert sweep.points == {
        "rate=1,heat=0.5": {RATE: 1, HEAT: 0.5},
        "rate=1,heat=1.0": {RATE: 1, HEAT: 1.0},
        "rate=2,heat=0.5": {RATE: 2, HEAT: 0.5},
        "rate=2,heat=1.0": {RATE: 2, HEAT: 1.0},
    }
    assert sweep.methods == ("toy",)


def test_keys_that_end_alike_are_told_apart_by_more_words():
    grid = {"methods.toy.train.steps": [1], "methods.toy.other.steps": [2]}
    assert list(SweepRequest("x", grid).resolve(PARAMS, GRAPH).points) == ["train.steps=1,other.steps=2"]


def test_a_key_of_no_method_concerns_all():
    params = PARAMS + "data: {dataset: a}\n"
    assert SweepRequest("x", {"data.dataset": ["b/c"]}).resolve(params, GRAPH).methods == ("toy", "rival")
    assert list(SweepRequest("x", {"data.dataset": ["b/c"]}).resolve(params, GRAPH).points) == ["dataset=b-c"]


@pytest.mark.parametrize(
    ("request_", "line"),
    [
        (SweepRequest("gird"), "params.yaml: no sweep sweeps.gird; did you mean grid?"),
        (
            SweepRequest("x", {"methods.toy.trian.rate": [1]}),
            "params.yaml: no key methods.toy.trian.rate; did you mean train?",
        ),
        (SweepRequest("x", {"methods.toy.train": [1]}), "params.yaml: methods.toy.train is a block"),
        (SweepRequest("x", {RATE: 3}), f"sweep: grid.{RATE} = 3: give a list of values"),
        (SweepRequest("x", {RATE: []}), f"sweep: grid.{RATE} = []: give a list of values"),
        (SweepRequest("x", {RATE: [3, 3]}), "sweep: two points are rate=3"),
        (SweepRequest("grid", methods=["tyo"]), "dvc.yaml: no stage benchmark@tyo; did you mean toy?"),
    ],
)
def test_what_is_not_there_is_refused(request_, line):
    with pytest.raises(InvalidRequest) as refused:
        request_.resolve(PARAMS, GRAPH)
    assert str(refused.value).startswith(line) and "\n" not in str(refused.value)


def test_an_override_changes_its_value_and_nothing_else():
    changed = overridden(PARAMS, {HEAT: 0.25})
    assert changed == PARAMS.replace("heat: 1.0}", "heat: 0.25}")


@pytest.mark.parametrize("preset", sorted(path.stem for path in (ROOT / "presets").glob("*.yaml")))
def test_the_projects_sweeps_can_be_run_under_every_preset(preset, monkeypatch):
    from stages.cli.preset import render

    monkeypatch.chdir(ROOT)
    text = render(preset)
    values = YAML(typ="safe").load(text)
    graph = {f"benchmark@{method}": Stage("", "cpu", (), (), "") for method in values["methods"]}
    for name in values["sweeps"]:
        assert SweepRequest(name).resolve(text, graph).points


work = st.dictionaries(st.sampled_from("abcdef"), st.lists(st.sampled_from("uvwxyz"), unique=True))


@given(work, st.sets(st.sampled_from("uvwxyz")))
def test_nothing_is_computed_twice_and_nobody_waits_for_ever(needs, made):
    order = schedule(needs, made)
    assert set(order) == set(needs)
    begun: list[str] = []
    for point, others in order.items():
        assert set(others) <= set(begun)  # those waited for are begun before
        begun.append(point)
    for one in set("uvwxyz") - made:
        users = [point for point in needs if one in needs[point]]
        makers = [point for point in users if not any(one in needs[other] for other in order[point])]
        assert len(makers) <= 1
