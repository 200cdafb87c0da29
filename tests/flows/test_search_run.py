"""A search that is run, killed and run again, in one process: no point is made twice or lost, and failures are told."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from flows import graph
from flows.search_spec import Search
from flows.study import Study
from flows.sweep_spec import SweepRequest
from tests.flows import toy
from tests.flows.stack import Stack, until
from tests.flows.test_early_stop import asked, stops

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]

LONG = 100  # steps of a training that has the time to be stopped
SEARCHES = """\
  look:
    methods: [toy]
    search:
      over: {methods.toy.train.rate: {low: 1000, high: 9999}}
      points: 3
      goal: {protocol: plain, metric: l1}
      by: tpe
      together: 2
  early:
    methods: [toy]
    search:
      over: {methods.toy.train.rate: {low: 1000, high: 9999}}
      points: 8
      seed: 3
      goal: {protocol: plain, metric: l1}
      together: 2
      stop: {part: train, curve: nll, after: 5, factor: 2}
  faulty:
    methods: [rival]
    search: {over: {methods.rival.inpaint.good: [true, false]}, points: 2, goal: {protocol: plain, metric: l1}}
"""


@pytest.fixture(scope="module")
def searching(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The toy with two searches, without servers."""
    project = toy.make(tmp_path_factory.mktemp("searching") / "toy")
    toy.edit(project, "sweeps:\n", "sweeps:\n" + SEARCHES)
    found = Stack.of(project)
    yield found
    for process in found.processes():  # Prefect's temporary server, of the flow that was killed
        process.kill()


def sweep(stack: Stack, name: str, expect: int) -> str:
    return stack.call(sys.executable, "-m", "flows.sweep", name, expect=expect)


def kill(stack: Stack, name: str, point: int) -> None:
    """Run the sweep, and kill it outright as it learns its point of that number."""
    command = [sys.executable, "-m", "flows.sweep", name]
    running = subprocess.Popen(command, cwd=stack.project, env=stack.environment, stdout=subprocess.DEVNULL)
    until(lambda: len(learnt(stack, "learn")) == point)
    trainer = psutil.Process(int(stack.log()[-1][3]))
    running.kill()
    running.wait()
    psutil.wait_procs([trainer], timeout=120)


def trials(stack: Stack, name: str) -> list[tuple[str, float | None]]:
    """What the study was told of every trial: its state and its score."""
    [path] = (stack.project / ".dvc/tmp/sweeps" / name).glob(".search-*")
    search = SweepRequest(name).resolve((stack.project / "params.yaml").read_text(), graph.read(stack.project)).search
    assert isinstance(search, Search)
    return [(trial.state.name, trial.value) for trial in Study(path, search)._whole()]


def learnt(stack: Stack, verb: str) -> Counter[str]:
    return Counter(line[1] for line in stack.log() if line[0] == verb and line[1].startswith("train/"))


def test_killed_in_a_round_it_makes_every_point_once_and_names_the_best(searching: Stack) -> None:
    Path(searching.environment["TOY_LOG"]).touch()
    kill(searching, "look", 2)  # in the second point of the first round
    told = sweep(searching, "look", expect=0)
    notes = [json.loads(path.read_text()) for path in (searching.project / "reports/sweeps/look").glob("*.json")]
    rates = [note["overrides"]["methods.toy.train.rate"] for note in notes]
    assert learnt(searching, "learnt") == {f"train/{rate}": 1 for rate in rates} and len(set(rates)) == 3
    scores = {rate: float(sum(_scored(rate).encode())) for rate in rates}
    assert sorted(trials(searching, "look")) == sorted(("COMPLETE", score) for score in scores.values())
    best = min(scores, key=lambda rate: scores[rate])
    assert f"The best of 3 by l1 under plain: rate={best} ({scores[best]:.4g})." in told.splitlines()


def _scored(rate: int) -> str:
    """What the toy sums up, by hand."""
    return json.dumps([{"heat": 1.0}, [json.dumps({"steps": 10}), json.dumps({"rate": rate, "steps": 20})]])


def test_a_point_that_fails_is_told_so_and_made_again_alone(searching: Stack) -> None:
    assert "1 of 2 points are not made: good=false" in sweep(searching, "faulty", expect=1)
    assert Counter(state for state, _ in trials(searching, "faulty")) == {"COMPLETE": 1, "FAIL": 1}
    note = searching.project / "reports/sweeps/faulty/good=true.json"
    made = note.stat().st_mtime_ns
    sweep(searching, "faulty", expect=1)
    assert Counter(state for state, _ in trials(searching, "faulty")) == {"COMPLETE": 1, "FAIL": 2}
    assert note.stat().st_mtime_ns == made


def test_points_behind_are_stopped_by_the_rule_whatever_is_killed_and_never_made_again(searching: Stack) -> None:
    text = (searching.project / "params.yaml").read_text()
    (searching.project / "params.yaml").write_text(
        text.replace("steps: 20}", f"steps: {LONG}, loop: {{steps: {LONG}}}}}")
    )
    toy.commit(searching.project)
    Path(searching.environment["TOY_LOG"]).write_text("")
    kill(searching, "early", 3)  # in the first point of the second round
    told = sweep(searching, "early", expect=0)
    folder = searching.project / "reports/sweeps/early"
    finished, stopped = ({n["point"]: n for n in notes(place)} for place in (folder, folder / "stopped"))
    expected = stops(asked(searching.project, "early"), LONG)
    assert {name: note["step"] for name, note in stopped.items()} == {n: step for n, step in expected.items() if step}
    assert finished.keys() == {name for name, step in expected.items() if not step} and stopped
    assert f"{len(stopped)} more were stopped early, by val nll of train." in told.splitlines()
    ended = learnt(searching, "learnt")
    assert any(ended[f"train/{name.removeprefix('rate=')}"] == 0 for name in stopped), "none was stopped on its way"
    states = Counter(state for state, _ in trials(searching, "early"))
    assert states == {"COMPLETE": len(finished), "PRUNED": len(stopped)}
    before = learnt(searching, "learn")
    sweep(searching, "early", expect=0)
    assert learnt(searching, "learn") == before


def notes(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in folder.glob("*.json")]
