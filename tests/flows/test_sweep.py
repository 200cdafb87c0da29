"""A sweep by two workers, disturbed: every point is there, nothing was learnt twice, and DVC knows it all."""

import json
import signal
import time

import pandas as pd
import pytest

from tests.flows import toy
from tests.flows.stack import Stack, until
from tests.flows.test_reproduce import learning, no_slot_was_given_twice

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

NAMES = [f"rate={rate},heat={heat}" for rate in (11, 12) for heat in (0.5, 2.0)]
GRID = {"methods.toy.train.rate": [11, 12], "methods.toy.inpaint.heat": [0.5, 2.0]}


def expected(overrides: dict[str, float]) -> float:
    """The toy's score, by hand."""
    rate, heat = overrides.values()
    models = [json.dumps({"steps": 10}), json.dumps({"rate": rate, "steps": 60})]
    return float(sum(json.dumps([{"heat": heat}, models]).encode()))


@pytest.fixture(scope="module")
def swept(stack: Stack) -> Stack:
    """The stack after a sweep in whose middle a worker was killed."""
    toy.train(stack.project, rate=1, steps=60)
    assert stack.wait(stack.run("reproduce/pipeline")) == "COMPLETED"
    run = stack.run("sweep/grid", name="disturbed", grid=GRID)
    begun = learning(stack, "train/11")
    time.sleep(1)
    stack.worker(f"gpu-on-{begun[4]}").send_signal(signal.SIGKILL)
    assert stack.wait(run) == "COMPLETED"
    return stack


def test_every_point_has_its_files_and_its_true_score(swept):
    folder = swept.project / "reports" / "sweeps" / "disturbed"
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        f"{name}{ending}" for name in NAMES for ending in (".json", ".parquet", ".summary.parquet")
    )
    for name in NAMES:
        about = json.loads((folder / f"{name}.json").read_text())
        frame = pd.read_parquet(folder / f"{name}.summary.parquet")
        assert frame["estimate"].tolist() == [expected(about["overrides"])]
        assert set(frame["point"]) == {name} and about["methods"] == ["toy"]


def test_nothing_was_learnt_twice_and_no_slot_given_twice(swept):
    learnt = [line[1] for line in swept.log() if line[0] == "learnt" and line[1] in {"train/11", "train/12"}]
    assert sorted(learnt) == ["train/11", "train/12"]
    assert no_slot_was_given_twice(swept)


def test_the_project_is_as_it_was_and_the_worktrees_are_gone(swept):
    assert "up to date" in swept.call("dvc", "status")
    assert (swept.project / "reports/index.html").read_text().split() == sorted(NAMES)
    assert swept.call("git", "status", "--porcelain", "--untracked-files=no").split()[1:] in ([], ["dvc.lock"])
    assert len(swept.call("git", "worktree", "list").splitlines()) == 1


def test_every_point_is_an_experiment_that_can_be_applied(swept):
    shown = swept.call("dvc", "exp", "show", "--csv")
    assert all(f"disturbed-{name}" in shown for name in NAMES)
    swept.call("dvc", "exp", "apply", "disturbed-rate=12,heat=0.5")
    assert "rate: 12" in (swept.project / "params.yaml").read_text()
    assert (swept.project / "data/models/toy/train/weights").read_text() == json.dumps({"rate": 12, "steps": 60})
    swept.call("git", "checkout", "--", "params.yaml")
    swept.call("dvc", "repro")


def test_a_finished_sweep_is_left_as_it_is(swept):
    before = len(swept.runs("run-point"))
    assert swept.wait(swept.run("sweep/grid", name="disturbed", grid=GRID)) == "COMPLETED"
    assert len(swept.runs("run-point")) == before


def test_another_sweep_of_the_same_name_is_refused(swept):
    run = swept.run("sweep/grid", name="disturbed", grid={"methods.toy.inpaint.heat": [3.0]})
    assert swept.wait(run) == "FAILED"
    assert "with other points" in swept.ask(f"flow_runs/{run}")["state"]["message"]


@pytest.mark.parametrize(
    ("added", "told"),
    [
        ("# mine\n", "params.yaml: changed since the last commit; "),
        ("", "git pull --quiet --ff-only: There is no tracking "),
    ],
)
def test_what_a_nightly_run_cannot_begin_with_is_its_message(swept, added, told):
    params = swept.project / "params.yaml"
    before = params.read_text()
    params.write_text(before + added)
    run = swept.run("sweep/benchmark", name="disturbed", grid=GRID, pull=True)
    state = swept.wait(run)
    params.write_text(before)
    assert state == "FAILED" and f"InvalidRequest: {told}" in swept.ask(f"flow_runs/{run}")["state"]["message"]


def test_a_killed_sweep_is_taken_up_again(swept):
    run = swept.run("sweep/grid", name="killed", grid={"methods.toy.train.rate": [21, 22]})
    learning(swept, "train/21")
    for child in swept.worker("flows").children():
        child.send_signal(signal.SIGKILL)
    until(lambda: swept.ask(f"flow_runs/{run}")["run_count"] == 2)
    assert swept.wait(run) == "COMPLETED"
    learnt = [line[1] for line in swept.log() if line[0] == "learnt"]
    assert learnt.count("train/21") == learnt.count("train/22") == 1
