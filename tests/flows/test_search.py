"""A search asks for the same points whatever is killed and when; what it cannot ask for is refused in one line."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from flows import search_outcome, study
from flows.errors import InvalidRequest
from flows.graph import Stage
from flows.results import Results
from flows.search_spec import Search
from flows.study import Study
from flows.sweep_spec import SweepRequest
from tests.flows.toy import PARAMS

GRAPH = {name: Stage(name, "cpu", (), (), "") for name in ("benchmark@toy", "benchmark@rival")}
RATE, STEPS, HEAT = "methods.toy.train.rate", "methods.toy.train.steps", "methods.toy.inpaint.heat"
GOAL = {"protocol": "plain", "metric": "l1"}
OVER: dict[str, Any] = {RATE: {"low": 1e-4, "high": 1.0, "log": True}, STEPS: {"low": 1, "high": 9}, HEAT: [0.5, 1.0]}
BLOCK: dict[str, Any] = {"over": OVER, "points": 5, "goal": GOAL}
TPE = {**BLOCK, "points": 14, "by": "tpe", "together": 2}  # the library draws ten before it learns from scores


def search(block: dict[str, Any]) -> Search:
    found = SweepRequest("x", search=block).resolve(PARAMS, GRAPH).search
    assert found is not None
    return found


def score(point: dict[str, Any]) -> float:
    return float(point.get(RATE, 0.0) * 3 - point[STEPS])


def searched(path: Path, block: dict[str, Any], scored: Callable[[dict[str, Any]], float] = score) -> list[str]:
    """The names of a search's points, each of which is scored; it goes on from where its file ends."""
    asked = search(block)
    own = Study(path, asked)
    for count in [*range(asked.together, asked.points, asked.together), asked.points]:
        for name, point in own.ask(count).items():
            own.begin(name)
            own.tell(name, partial(scored, point))
    return list(own.points())


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[list[str], list[str]]]:
    """By kind of search: its points, and the lines of its file, undisturbed."""
    found = {}
    for kind, block in {"random": BLOCK, "tpe": TPE}.items():
        path = tmp_path_factory.mktemp("whole") / "study"
        found[kind] = searched(path, block), path.read_text().splitlines(keepends=True)
    return found


@pytest.mark.parametrize(("kind", "every"), [("random", 1), ("tpe", 9)])
def test_killed_after_any_line_of_its_file_or_within_it_a_search_has_the_same_points(tmp_path, whole, kind, every):
    points, lines = whole[kind]
    assert len(set(points)) == len(points) == {"random": 5, "tpe": 14}[kind]
    for there in range(1, len(lines), every):
        for cut in ("", lines[there][: len(lines[there]) // 2]):
            path = tmp_path / f"{there}{bool(cut)}"
            path.write_text("".join(lines[:there]) + cut)
            assert searched(path, {"random": BLOCK, "tpe": TPE}[kind]) == points, there


def test_random_points_are_a_function_of_seed_and_number_alone(tmp_path, whole):
    points, _ = whole["random"]
    for count in range(1, 6):  # asked for one by one, each by another process, and never scored
        assert list(Study(tmp_path / "one", search(BLOCK)).ask(count)) == points[:count]
    assert searched(tmp_path / "more", {**BLOCK, "points": 9})[:5] == points
    assert not set(searched(tmp_path / "other", {**BLOCK, "seed": 1})) & set(points)


def test_tpe_asks_by_the_scores(tmp_path, whole):
    other, (points, _) = searched(tmp_path / "other", TPE, lambda point: -score(point)), whole["tpe"]
    assert other[:10] == points[:10] and other[10:] != points[10:]


@pytest.mark.parametrize("by", ["random", "tpe"])
def test_all_that_there_is_is_asked_for_and_nothing_twice(tmp_path, by):
    over = {STEPS: {"low": 1, "high": 6}, HEAT: [None, [1, 2]]}
    points = searched(tmp_path / by, {**BLOCK, "over": over, "points": 12, "by": by})
    assert sorted(points) == sorted(f"steps={n},heat={heat}" for n in range(1, 7) for heat in ("null", "1+2"))


def test_points_lie_in_their_ranges_and_read_as_they_are(tmp_path):
    for name, point in Study(tmp_path / "s", search({**BLOCK, "points": 40})).ask(40).items():
        assert 1e-4 <= point[RATE] <= 1.0 and float(f"{point[RATE]:.4g}") == point[RATE]
        assert point[STEPS] in range(1, 10) and isinstance(point[STEPS], int) and point[HEAT] in (0.5, 1.0)
        assert name == f"rate={point[RATE]},steps={point[STEPS]},heat={point[HEAT]}"


def test_a_point_that_failed_is_told_so_and_may_be_made_again(tmp_path):
    own = Study(tmp_path / "s", search(BLOCK))
    first, second, *_ = own.ask(5)
    own.begin(first)
    own.tell(first, None)
    own.begin(first)
    own.tell(first, lambda: 1.0)
    own.tell(first, None)  # told already
    own.tell(second, lambda: float("nan"))
    states = [(own._point(trial)[0], trial.state.name, trial.value) for trial in own._whole()]
    told = [one for one in states if one[1] != "RUNNING"]
    assert told == [(first, "FAIL", None), (second, "FAIL", None), (first, "COMPLETE", 1.0)]
    assert len(own.points()) == 5


def test_another_search_or_commit_has_a_study_of_its_own(tmp_path):
    blocks = [BLOCK, {**BLOCK, "seed": 1}, {**BLOCK, "points": 6}]
    places = {study.place(tmp_path, search(block), commit) for block in blocks for commit in ("a", "b")}
    assert len(places) == 6 and study.place(tmp_path, search(BLOCK), "a") in places


def test_the_best_is_named_by_the_goal(tmp_path):
    results, scores = Results(tmp_path, "x"), {"a=1": 2.0, "a=2": 1.0, "a=3": float("nan")}
    assert search_outcome.told(search(BLOCK), results) == search_outcome.told(None, results) == []
    (tmp_path / "scores").mkdir()
    for point, estimate in scores.items():
        frame = pd.DataFrame({"method": "toy", "protocol": "plain", "metric": ["l1"], "estimate": estimate})
        other = pd.DataFrame({"method": "toy", "protocol": "other", "metric": ["l1"], "estimate": [-9.0]})
        for ending in (".parquet", ".summary.parquet"):
            pd.concat([other, frame]).to_parquet(tmp_path / f"scores/toy{ending}")
        results.write(point, tmp_path / "scores", {"methods": ["toy"], "commit": "c"})
    results.spec.write_text(json.dumps({"commit": "c"}))
    assert search_outcome.told(search(BLOCK), results) == ["The best of 2 by l1 under plain: a=2 (1)."]


def test_its_probes_differ_from_the_first_in_one_key_each():
    first, *others = SweepRequest("x", search=BLOCK).resolve(PARAMS, GRAPH).points.values()
    assert [[key for key in OVER if one[key] != first[key]] for one in others] == [[RATE], [STEPS], [HEAT]]


def ranged(**one: Any) -> dict[str, Any]:
    return {**BLOCK, "over": {**OVER, RATE: one}}


@pytest.mark.parametrize(
    ("block", "line"),
    [
        (3, "sweep: search = 3: give it over, points, goal"),
        ({**BLOCK, "sede": 1}, "sweep: search has sede; did you mean seed?"),
        ({"points": 3, "goal": GOAL}, "sweep: search has no over; give it over, points, goal"),
        ({**BLOCK, "over": [RATE]}, f"sweep: search.over = ['{RATE}']: give ranges or lists of values by key"),
        ({**BLOCK, "over": {RATE: 3}}, f"sweep: search.over.{RATE} = 3: give {{low: ..., high: ...}}, or a list"),
        ({**BLOCK, "over": {RATE: [3]}}, f"sweep: search.over.{RATE} = [3]: give {{low: ..., high: ...}}, or a list"),
        ({**BLOCK, "over": {RATE: ["a b", "a-b"]}}, f"sweep: search.over.{RATE} = ['a b', 'a-b']: two of these read"),
        ({**BLOCK, "over": {RATE: [1, {}]}}, f"sweep: search.over.{RATE} has a point with {{}}: give finite numbers"),
        ({**BLOCK, "over": {"methods.toy.trian": [1, 2]}}, "params.yaml: no key methods.toy.trian; did you mean"),
        (ranged(low=1, hihg=2), f"sweep: search.over.{RATE} has hihg; did you mean high?"),
        (ranged(low=1), f"sweep: search.over.{RATE}.high = None: give a number between"),
        (ranged(low=float("-inf"), high=1), f"sweep: search.over.{RATE}.low = -inf: give a number between"),
        (ranged(low=True, high=2), f"sweep: search.over.{RATE}.low = True: give a number between"),
        (ranged(low=2, high=2.0), f"sweep: search.over.{RATE}: low = 2 is not below high = 2.0"),
        (ranged(low=0, high=2, log=True), f"sweep: search.over.{RATE}: log needs low above 0, and it is 0"),
        (ranged(low=1, high=2, log="yes"), f"sweep: search.over.{RATE}.log = 'yes': give true or false"),
        ({**BLOCK, "points": 0}, "sweep: search.points = 0: give a whole number from 1 to 1000"),
        ({**BLOCK, "points": True}, "sweep: search.points = True: give a whole number from 1 to 1000"),
        ({**BLOCK, "over": {HEAT: [1, 2]}}, "sweep: search.points = 5, and there are 2; give it fewer, or a grid"),
        ({**BLOCK, "by": "tpo"}, "sweep: search.by = 'tpo': give random or tpe"),
        ({**BLOCK, "by": ["tpe"]}, "sweep: search.by = ['tpe']: give random or tpe"),
        ({**BLOCK, "seed": -1}, "sweep: search.seed = -1: give a whole number from 0 to "),
        ({**TPE, "together": 0}, "sweep: search.together = 0: give a whole number from 1 to 1000"),
        ({**BLOCK, "together": 2}, "sweep: search.together: random points wait for nothing; leave it out"),
        ({**BLOCK, "goal": "l1"}, "sweep: search.goal = 'l1': give it protocol, metric"),
        ({**BLOCK, "goal": {"protocol": "plain"}}, "sweep: search.goal has no metric; give it protocol, metric"),
        (
            {**BLOCK, "goal": {**GOAL, "protocol": "plian"}},
            "params.yaml: no protocol plian (search.goal); did you mean",
        ),
        (
            {**BLOCK, "goal": {**GOAL, "metric": "l2"}},
            "params.yaml: protocols.plain has no metric l2 (search.goal); there are l1",
        ),
    ],
)
def test_what_cannot_be_searched_is_one_line(block, line):
    with pytest.raises(InvalidRequest) as refused:
        SweepRequest("x", search=block).resolve(PARAMS, GRAPH)
    assert str(refused.value).startswith(line) and "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("request_", "line"),
    [
        (SweepRequest("x", {HEAT: [1]}, search=BLOCK), "sweep: search and grid: a search asks for its points; "),
        (SweepRequest("x", points=[{HEAT: 1}], search=BLOCK), "sweep: search and points: "),
        (SweepRequest("x", seeds=2, search=BLOCK), "sweep: search and seeds: "),
        (SweepRequest("x", methods=["toy", "rival"], search=BLOCK), "sweep: search.goal is one method's score; name "),
    ],
)
def test_a_search_stands_alone(request_, line):
    with pytest.raises(InvalidRequest, match=f"^{line}"):
        request_.resolve(PARAMS, GRAPH)


@pytest.mark.parametrize("better", ["calibration_pixel", "nothing"])
def test_a_metric_without_a_better_end_is_no_goal(better):
    params = PARAMS.replace("[l1]", f"[{better}]")
    with pytest.raises(InvalidRequest, match=f"^sweep: search.goal.metric = {better}: neither low nor high is better"):
        SweepRequest("x", search={**BLOCK, "goal": {**GOAL, "metric": better}}).resolve(params, GRAPH)


def test_a_search_of_params_is_the_same(tmp_path):
    params = PARAMS + f"  found: {{methods: [toy], search: {json.dumps(BLOCK)}}}\n"
    assert SweepRequest("found").resolve(params, GRAPH).search == search(BLOCK)
