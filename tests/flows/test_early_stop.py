"""What successive halving stops is its definition, whenever curves are looked at; what it cannot stop is one line."""

import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from flows import commands, early_stop, graph, sweep_work
from flows.early_stop import Judge
from flows.ender import Ender
from flows.errors import InvalidRequest
from flows.graph import Stage
from flows.halving import Halving
from flows.results import Results
from flows.search_spec import Search
from flows.search_stop import Stop
from flows.study import Study
from flows.sweep_spec import SweepRequest
from tests.flows import toy

GRAPH = {name: Stage(name, "cpu", (), (), "") for name in ("benchmark@toy", "benchmark@rival")}
PARAMS = toy.PARAMS.replace("steps: 20}", "steps: 20, loop: {steps: 20}}")
RATE, HEAT = "methods.toy.train.rate", "methods.toy.inpaint.heat"
STOP = {"part": "train", "curve": "nll", "after": 5}
BLOCK: dict[str, Any] = {
    "over": {RATE: {"low": 1, "high": 999}},
    "points": 6,
    "goal": {"protocol": "plain", "metric": "l1"},
    "together": 2,
    "stop": STOP,
}
Curve = list[tuple[int, float]]


def search(block: dict[str, Any]) -> Search:
    found = SweepRequest("x", search=block).resolve(PARAMS, GRAPH).search
    assert found
    return found


def rungs(stop: Stop, curve: Curve) -> Iterator[tuple[int, float]]:
    """By hand: the first evaluation at or after each rung; one that jumps over some stands at all of them."""
    threshold = stop.after
    for step, value in curve:
        while step >= threshold:
            yield step, value
            threshold *= stop.factor


def given_up(stop: Stop, earlier: list[Curve], curve: Curve) -> tuple[int, float] | None:
    """By hand: the first rung where the point is not among the best of a factor-th of those that came to it."""
    sign = 1 if stop.better == "lower" else -1
    for number, (step, value) in enumerate(rungs(stop, curve)):
        there = [list(rungs(stop, other)) for other in earlier]
        values = [sign * other[number][1] for other in there if len(other) > number] + [sign * value]
        best = sorted(values)[: max(1, len(values) // stop.factor)]
        if math.isnan(value) or sign * value > best[-1]:
            return step, value
    return None


def asked(project: Path, name: str) -> list[str]:
    """The points of a search of the toy in the order in which they were asked for."""
    [path] = (project / ".dvc/tmp/sweeps" / name).glob(".search-*")
    found = SweepRequest(name).resolve((project / "params.yaml").read_text(), graph.read(project)).search
    assert found
    return list(Study(path, found).points())


def stops(points: list[str], steps: int) -> dict[str, int]:
    """By hand: where each of these rates is given up, 0 where it is not; two by two, judged by all before."""
    rule = Stop("train", "nll", 5, "lower", 2)
    whole = {name: [(n, float(name.removeprefix("rate=")) / n) for n in range(5, steps, 5)] for name in points}
    found: dict[str, int] = {}
    for first in range(0, len(points), 2):
        earlier = [[row for row in whole[name] if row[0] <= (found[name] or steps)] for name in points[:first]]
        for name in points[first : first + 2]:
            where = given_up(rule, earlier, whole[name])
            found[name] = where[0] if where else 0
    return found


@pytest.mark.parametrize("better", ["lower", "higher"])
@pytest.mark.parametrize("factor", [2, 3])
def test_who_is_stopped_is_the_definition_however_often_the_curve_is_looked_at(better: str, factor: int) -> None:
    rng, outcomes = np.random.default_rng(factor), set()
    stop = Stop("train", "nll", 10, better, factor)
    for _ in range(60):
        steps = sorted(rng.choice(np.arange(0, 200, 5), size=6, replace=False).tolist())
        *earlier, curve = (
            [(step, float(rng.normal())) for step in steps[: rng.integers(1, 7)]] for _ in range(rng.integers(1, 9))
        )
        expected = given_up(stop, earlier, curve)
        halving = Halving(stop, earlier)
        for seen in range(1, len(curve) + 1):
            by_then = expected is not None and curve[seen - 1][0] >= expected[0]
            assert halving.see(curve[:seen]) == halving.see(curve[:seen]) == by_then
        at_once = Halving(stop, earlier)
        at_once.see(curve)
        assert halving.given_up == at_once.given_up == expected
        outcomes.add(expected is None)
    assert outcomes == {True, False}


def test_a_training_that_diverges_is_stopped_and_nobody_is_judged_by_it() -> None:
    stop = Stop("train", "nll", 5, "lower", 2)
    halving = Halving(stop, [])
    assert not halving.see([(0, 1.0)]) and halving.see([(0, 1.0), (5, math.nan)])
    assert not Halving(stop, [[(5, math.nan)], [(5, 2.0)]]).see([(5, 1.0)])


@pytest.fixture
def judged(tmp_path: Path) -> tuple[Results, Path]:
    """A search that was begun, with a finished point, and the worktree of another that learns."""
    results, tree = Results(tmp_path, "x"), tmp_path / "tree"
    results.folder.mkdir(parents=True)
    told = {"commit": "c", "search": search(BLOCK).told}
    results.spec.write_text(json.dumps(told))
    note = {"point": "first", "commit": "c", "curve": [[0, 9.0], [5, 1.0], [15, 0.5]]}
    (results.folder / "first.json").write_text(json.dumps(note))
    tree.mkdir()
    (tree / "params.yaml").write_text(PARAMS)
    return results, tree


def learn(tree: Path, place: str, curve: Curve, name: str = "nll") -> None:
    path = tree / "data" / place / "curves.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    train = [(step, "train", name, 0.0) for step, _ in curve]
    rows = [*train, *((step, "val", name, value) for step, value in curve)]
    pd.DataFrame(rows, columns=["step", "split", "name", "value"]).to_parquet(path)


def test_a_point_is_judged_as_it_learns_and_once_it_has_learnt(judged: tuple[Results, Path]) -> None:
    results, tree = judged
    judge = Judge(results, tree, ["first", "failed"])
    assert not judge.gives_up()  # nothing is there yet
    learn(tree, "progress/toy/train/0abc", [(0, 9.0)])
    assert not judge.gives_up()
    learn(tree, "models/toy/train", [(0, 9.0), (5, 2.0), (10, 0.0)])
    (tree / "data/progress/toy/train/0abc/curves.parquet").unlink()
    assert judge.gives_up() and judge.note() == {"step": 5, "value": 2.0, "curve": [(0, 9.0), (5, 2.0)]}
    assert judge.told == "by val nll of train at step 5: 2"
    assert not Judge(results, tree, []).gives_up()


def test_the_last_evaluation_stops_nothing(judged: tuple[Results, Path]) -> None:
    results, tree = judged
    learn(tree, "models/toy/train", [(4, 2.0), (20, 2.0)])
    assert not Judge(results, tree, ["first"]).gives_up()
    learn(tree, "models/toy/train", [(4, 2.0), (19, 2.0)])
    assert Judge(results, tree, ["first"]).gives_up()


def test_a_curve_that_is_not_there_is_one_line(judged: tuple[Results, Path]) -> None:
    results, tree = judged
    learn(tree, "models/toy/train", [(0, 1.0)], "nlll")
    with pytest.raises(InvalidRequest, match=r"^sweep: search.stop.curve = nll: toy/train .* did you mean nlll\?$"):
        Judge(results, tree, []).gives_up()


def test_a_point_is_stopped_by_this_search_at_this_commit_alone(judged: tuple[Results, Path]) -> None:
    results, _ = judged
    results.write_stopped("a", {"step": 5, "value": 2.0, "curve": [(0, 9.0), (5, 2.0)]})
    assert results.has_ended("a", "c") and not results.is_finished("a", "c") and not results.has_ended("b", "c")
    assert results.curve("a") == [(0, 9.0), (5, 2.0)] and results.curve("b") == []
    [row] = results.table(["a"], "c")
    assert (row["finished"], row["stopped at"]) == (False, 5)
    told = results.spec.read_text()
    for other in ({"commit": "d"}, {"search": search({**BLOCK, "seed": 1}).told}):
        results.spec.write_text(json.dumps({**json.loads(told), **other}))
        assert not results.has_ended("a", "c") and results.curve("a") == []
    results.spec.write_text(told)
    results.forget_others(["first", "a"], "c")
    assert results.has_ended("a", "c")
    results.forget_others(["first"], "c")
    assert not results.has_ended("a", "c")


def test_the_study_hears_of_it_once_in_its_goals_direction(tmp_path: Path) -> None:
    for better, value in (("lower", 2.0), ("higher", -2.0)):
        own = Study(tmp_path / better, search({**BLOCK, "stop": {**STOP, "better": better}}))
        [name, *_] = own.ask(2)
        own.begin(name)
        own.give_up(name, 5, 2.0)
        own.give_up(name, 5, 3.0)
        own.tell(name, None)
        told = [(one.state.name, one.intermediate_values) for one in own._whole() if one.state.name != "RUNNING"]
        assert told == [("PRUNED", {5: value})]


def test_a_search_without_a_stop_is_told_as_ever() -> None:
    assert "stop" not in search({key: one for key, one in BLOCK.items() if key not in ("stop", "together")}).told
    assert search(BLOCK).together == 2 and Stop(**search(BLOCK).told["stop"]) == search(BLOCK).stop


@pytest.mark.parametrize(
    ("stop", "line"),
    [
        (5, "sweep: search.stop = 5: give it part, curve, after"),
        ({**STOP, "patr": 1}, "sweep: search.stop has patr; did you mean part?"),
        ({"part": "train", "after": 5}, "sweep: search.stop has no curve; give it part, curve, after"),
        (
            {**STOP, "part": "other"},
            "params.yaml: no methods.toy.other.loop.steps over 1 (search.stop.part); there are",
        ),
        ({**STOP, "part": ["train"]}, "params.yaml: no methods.toy.['train'].loop.steps over 1 (search.stop.part)"),
        ({**STOP, "after": 20}, "sweep: search.stop.after = 20: give a whole number from 1 to 19"),
        ({**STOP, "after": 0}, "sweep: search.stop.after = 0: give a whole number from 1 to 19"),
        ({**STOP, "factor": 1}, "sweep: search.stop.factor = 1: give a whole number from 2 to 100"),
        ({**STOP, "better": "up"}, "sweep: search.stop.better = 'up': give lower or higher"),
        ({**STOP, "curve": 3}, "sweep: search.stop.curve = 3: give the name of a val curve, as lpips"),
    ],
)
def test_what_can_stop_nothing_is_one_line(stop: Any, line: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        search({**BLOCK, "stop": stop})
    assert str(refused.value).startswith(line) and "\n" not in str(refused.value)


def test_points_that_cannot_be_compared_or_stopped_are_refused(tmp_path: Path) -> None:
    project = toy.make(tmp_path / "toy")
    (project / "params.yaml").write_text(PARAMS)

    def refused(block: dict[str, Any], parts: int = 1, shared: bool = False) -> str:
        spec = SweepRequest("x", search=block).resolve(PARAMS, graph.read(project))
        try:
            early_stop.check(spec, sweep_work.needed(project, spec), parts, shared)
        except InvalidRequest as error:
            return str(error)
        return ""

    assert refused(BLOCK) == refused({**BLOCK, "over": {RATE: [1, 2], HEAT: [1, 2, 3]}}) == ""
    assert refused({**BLOCK, "over": {HEAT: list(range(9))}}).startswith("sweep: search.stop.part = train: nothing in ")
    assert refused(BLOCK, parts=2).endswith("leave parts = 2 out")
    assert "PLURIFILL_SHARED=1" in refused(BLOCK, shared=True)


def test_a_command_is_ended_once_the_question_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "_log", lambda line: None)
    saved, begun = tmp_path / "saved", tmp_path / "begun"
    program = (
        "import pathlib, signal, sys, time\n"
        f"signal.signal(signal.SIGINT, lambda *_: (pathlib.Path({str(saved)!r}).touch(), sys.exit(130)))\n"
        f"pathlib.Path({str(begun)!r}).touch()\n"
        "time.sleep(600)\n"
    )
    commands.run([sys.executable, "-c", program], tmp_path, tmp_path / "lock", ends=begun.exists)
    assert saved.exists(), "it was not asked to save"
    with pytest.raises(RuntimeError, match="exit code 3"):
        commands.run([sys.executable, "-c", "raise SystemExit(3)"], tmp_path, tmp_path / "lock", ends=lambda: False)
    with pytest.raises(ZeroDivisionError):
        commands.run([sys.executable, "-c", program], tmp_path, tmp_path / "lock", ends=lambda: bool(1 / 0))


def test_it_is_ended_once_and_never_after(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.ender.POLL_S", 0.01)
    ended: list[int] = []
    with Ender(lambda: True, lambda: ended.append(1)) as ender:
        ender._thread.join()
    with Ender(lambda: False, lambda: ended.append(2)) as other:
        pass
    assert ended == [1] and ender.has_ended and not other.has_ended
