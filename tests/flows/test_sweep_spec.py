"""Points, their names and their order; what is not there is refused in one line."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from flows.errors import InvalidRequest
from flows.graph import Stage
from flows.names import POINT_MAX, by_name, check_point, check_sweep
from flows.overrides import overridden
from flows.sweep_point import make
from flows.sweep_spec import SweepRequest
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


SEEDED = """\
methods:
  toy: {first: {loop: {seed: 7}, rate: 1}, second: {loop: {seed: 7}}, inpaint: {heat: 1.0}}
  rival: {inpaint: {good: true}}
sweeps:
  seeds: {methods: [toy], seeds: 2}
  both: {grid: {methods.toy.first.rate: [1, 2]}, seeds: 2}
"""
SEEDS = ("methods.toy.first.loop.seed", "methods.toy.second.loop.seed")


def test_seeds_train_every_part_of_each_point_so_many_times():
    both = SweepRequest("both").resolve(SEEDED, GRAPH)
    assert both.points == {
        f"rate={rate},seed={seed}": {"methods.toy.first.rate": rate, **dict.fromkeys(SEEDS, seed)}
        for rate in (1, 2)
        for seed in (0, 1)
    }
    alone = {f"seed={seed}": dict.fromkeys(SEEDS, seed) for seed in (0, 1)}
    named = SweepRequest("seeds").resolve(SEEDED, GRAPH)
    assert (named.points, named.methods) == (alone, ("toy",))
    new = SweepRequest("new", seeds=2).resolve(SEEDED, GRAPH)  # of all methods: those without parts as they are
    assert (new.points, new.methods) == (alone, ("toy", "rival"))


def test_seeds_of_the_form_count_where_a_sweep_of_params_has_others():
    assert len(SweepRequest("seeds", seeds=5).resolve(SEEDED, GRAPH).points) == 5


@pytest.mark.parametrize(
    ("request_", "line"),
    [
        (SweepRequest("x", seeds=1), "sweep: seeds = 1: give how many trainings, from 2 to 100"),
        (SweepRequest("x", seeds=True), "sweep: seeds = True: give how many"),
        (SweepRequest("x", seeds=2, methods=["rival"]), "sweep: seeds: no part of rival is trained; leave seeds out"),
        (SweepRequest("x", {SEEDS[1]: [3]}, seeds=2), f"sweep: seeds turns {SEEDS[1]} too; leave one of both out"),
    ],
)
def test_seeds_that_can_train_nothing_are_one_line(request_, line):
    with pytest.raises(InvalidRequest) as refused:
        request_.resolve(SEEDED, GRAPH)
    assert str(refused.value).startswith(line) and "\n" not in str(refused.value)


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
        (SweepRequest("x", {"a\nb": [1]}), "params.yaml: no key a b"),
        (SweepRequest("x", {"a\nb": []}), "sweep: grid.a b = []: give a list of values"),
        (SweepRequest("x", {RATE: []}), f"sweep: grid.{RATE} = []: give a list of values"),
        (SweepRequest("x", {RATE: [3, 3]}), "sweep: two points are rate=3"),
        (SweepRequest("grid", methods=["tyo"]), "dvc.yaml: no stage benchmark@tyo; did you mean toy?"),
        (SweepRequest("grid", methods=[None]), "dvc.yaml: no stage benchmark@None"),
        (SweepRequest("grid", methods="toy"), "sweep: methods = 'toy': give a list of names"),
        (SweepRequest("x", [RATE]), f"sweep: grid = ['{RATE}']: give lists of values by key"),
        (SweepRequest("x", points={RATE: 1}), "sweep: points = {'methods.toy.train.rate': 1}: give a list of points"),
        (SweepRequest("x", points=[{}]), "sweep: points: {}: a point is values by key, one at least"),
        (SweepRequest("x", points=[3]), "sweep: points: 3: a point is values by key, one at least"),
        (SweepRequest("x", points=[{7: 1}]), "sweep: key 7: write a key of params.yaml as text"),
        (SweepRequest("x", {HEAT: [[1, float("nan")]]}), f"sweep: {HEAT} has a point with nan: give finite numbers"),
        (SweepRequest("x", {HEAT: [{"a": 1}]}), f"sweep: {HEAT} has a point with {{'a': 1}}: give finite numbers"),
    ],
)
def test_what_is_not_there_is_refused(request_, line):
    with pytest.raises(InvalidRequest) as refused:
        request_.resolve(PARAMS, GRAPH)
    assert str(refused.value).startswith(line) and "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("params", "line"),
    [
        ("{", "params.yaml: not readable as YAML: while parsing"),
        ("a: 2024-13-01", "params.yaml: not readable as YAML: "),
        ("", "params.yaml: no keys with values in it"),
        ("[1]", "params.yaml: no keys with values in it"),
        ("sweeps: [grid]", "params.yaml: sweeps = ['grid']: give it a block"),
    ],
)
def test_a_params_file_that_is_none_is_one_line(params, line):
    with pytest.raises(InvalidRequest) as refused:
        SweepRequest("grid").resolve(params, GRAPH)
    assert str(refused.value).startswith(line) and "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "mend"),
    [
        ("", ""), (".", ""), ("..", ""), ("../..", ""), (".hidden", ""), ("-option", ""), ("a" * 49, "a" * 48),
        ("my sweep", "my-sweep"), ("a/b", "a-b"), ("a\nb", "a-b"), ("alpha.json", "alpha-json"), ("a.lock", "a-lock"),
    ],
)  # fmt: skip
def test_a_name_that_is_no_folders_is_refused_and_a_near_one_named(name, mend):
    with pytest.raises(InvalidRequest) as refused:
        SweepRequest(name, {RATE: [1]}).resolve(PARAMS, GRAPH)
    line = str(refused.value)
    assert line.startswith(f"sweep: name = {name!r}: give ") and "\n" not in line
    assert line.endswith(f"; {mend} would do") if mend else "would do" not in line
    if mend:
        check_sweep(mend)


@pytest.mark.parametrize("point", ["", ".", "..", "../x=1", "/x=1", "x=1/..", "-x=1", ".x=1", "x" * 201])
@pytest.mark.parametrize("sweep", ["swept", ""])
def test_nothing_is_touched_for_a_name_that_does_not_fit(tmp_path, monkeypatch, sweep, point):
    kept = [tmp_path / "reports/sweeps/other/a=1.json", tmp_path / ".dvc/tmp/sweeps/other/a=1/x"]
    for path in kept:
        path.parent.mkdir(parents=True)
        path.touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidRequest):
        make(sweep, point, {RATE: 1}, ["toy"], "HEAD")
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == sorted(kept)


@pytest.mark.parametrize(
    "text", ["0?", "a: b", "", " ", "#x", "a\nb", "'", '"', "{", "é", "- x", "yes", "1", "~", "\x07"]
)
def test_a_text_comes_back_whatever_stands_in_it(text):
    for value in (text, [text, [text]]):
        changed = overridden(PARAMS, {HEAT: value, RATE: value})
        read = YAML(typ="safe").load(changed)["methods"]["toy"]
        assert read["inpaint"]["heat"] == value and read["train"]["rate"] == value


def test_an_override_changes_its_value_and_nothing_else():
    changed = overridden(PARAMS, {HEAT: 0.25})
    assert changed == PARAMS.replace("heat: 1.0}", "heat: 0.25}")


LINED = "a: [1, 2]   # why\nb: null     # because\nc: {d: 1}\n"


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("a", [4, [5, 6]], "a: [4, [5, 6]] # why"), ("a", [], "a: []       # why"), ("a", None, "a: null     # why"),
        ("b", [1], "b: [1]      # because"), ("b", "null", "b: 'null'   # because"), ("c.d", None, "c: {d: null}"),
        ("c.d", [1], "c: {d: [1]}"),
    ],
)  # fmt: skip
def test_a_list_or_a_null_takes_its_place_in_the_line(key, value, line):
    before, after = LINED.splitlines(), overridden(LINED, {key: value}).splitlines()
    assert after == [line if row[0] == key[0] else row for row in before]
    found = YAML(typ="safe").load("\n".join(after))
    assert (found["c"]["d"] if key == "c.d" else found[key]) == value


def test_lists_and_nulls_are_points_with_readable_names():
    named = by_name([{HEAT: value} for value in ([1, 2], [], None, True, 1e-05, [[1], 2.5])])
    assert list(named) == ["heat=1+2", "heat=empty", "heat=null", "heat=true", "heat=1e-05", "heat=1+2.5"]


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3), max_leaves=6)
key_words = st.lists(st.text("ab./- é", min_size=1, max_size=3), min_size=1, max_size=4).map(".".join)


@given(st.lists(st.dictionaries(key_words, values, min_size=1, max_size=14), min_size=1, max_size=6))
def test_every_point_has_a_name_of_its_own_that_a_file_can_bear(overrides):
    distinct = {json.dumps(one, sort_keys=True): one for one in overrides}
    named = by_name(list(distinct.values()))
    assert list(named.values()) == list(distinct.values())
    for name in named:
        check_point(name)
        assert len(name) <= POINT_MAX


def test_a_point_of_many_keys_is_named_by_the_first_and_a_digest():
    params = "methods: {toy: {" + ", ".join(f"a_number_of_it_{n}: 0" for n in range(12)) + "}}\n"
    grid = {f"methods.toy.a_number_of_it_{n}": [0.125 + n, 0.25 + n] for n in range(12)}
    points = [{key: two[side] for key, two in grid.items()} for side in (0, 1)]
    first, second = SweepRequest("x", points=points).resolve(params, GRAPH).points
    assert first.startswith("a_number_of_it_0=0.125,a_number_of_it_1=1.125,") and first[-8:] != second[-8:]
    assert len(first) == len(second) == POINT_MAX


@pytest.mark.parametrize("preset", sorted(path.stem for path in (ROOT / "presets").glob("*.yaml")))
def test_the_projects_sweeps_can_be_run_under_every_preset(preset, monkeypatch):
    from stages.cli.preset import render

    monkeypatch.chdir(ROOT)
    text = render(preset)
    values = YAML(typ="safe").load(text)
    graph = {f"benchmark@{method}": Stage("", "cpu", (), (), "") for method in values["methods"]}
    for name in values["sweeps"]:
        assert SweepRequest(name).resolve(text, graph).points
