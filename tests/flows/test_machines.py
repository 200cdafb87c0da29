"""Machines: clones of one repository with a DVC remote between them, one server, a worker pool each."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.flows import toy
from tests.flows.stack import FINAL, Stack, until
from tests.flows.test_reproduce import learning

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


def clone(home: Stack, folder: Path) -> Stack:
    """A machine that only trains, for the server at home; nothing of it runs yet."""
    subprocess.run(["git", "clone", "--quiet", str(home.project), str(folder / "toy")], check=True)
    found = Stack.of(folder / "toy", PLURIFILL_POOLS="gpu", PLURIFILL_SHARED="1")
    found.environment |= {"PREFECT_API_URL": home.api, "TOY_LOG": home.environment["TOY_LOG"]}
    found.environment["MLFLOW_TRACKING_URI"] = f"sqlite:///{folder}/mlflow.db"  # no MLflow is served
    return found


@contextmanager
def one_more(home: Stack, folder: Path) -> Iterator[Stack]:
    """Such a machine, its worker running."""
    found = clone(home, folder)
    try:
        found.flows("workers", "start")
        yield found
    finally:
        found.close()


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory):
    """(home, away): home has the servers and the flows that wait; its pool is cpu, and gpu is that of away."""
    folder = tmp_path_factory.mktemp("machines")
    first = toy.make(folder / "home" / "toy")
    subprocess.run(["dvc", "remote", "add", "--default", "between", str(folder / "remote")], cwd=first, check=True)
    toy.commit(first)
    home = Stack.of(first, PLURIFILL_POOLS="flows cpu", PLURIFILL_SHARED="1")
    away = clone(home, folder / "away")
    try:
        home.serve()
        home.flows("workers", "start")
        home.flows("deploy")
        away.flows("join", home.pages)
        yield home, away
    finally:
        away.close()
        home.flows("workers", "stop")
        home.end_server()
        home.close()


def test_stages_of_two_machines_make_one_pipeline(machines):
    home, away = machines
    assert home.wait(home.run("reproduce/pipeline")) == "COMPLETED"
    assert "up to date" in home.call("dvc", "status")
    assert [line[0] for line in home.log()].count("learn") == 2  # nothing was computed twice
    assert (away.project / "data/models/toy/train/weights").exists()


def test_a_sweep_made_elsewhere_comes_home(machines):
    home, _ = machines
    assert home.wait(home.run("sweep/grid", name="grid")) == "COMPLETED"
    for stack in machines:
        assert len(list((stack.project / "reports/sweeps/grid").glob("*.json"))) == 4
    assert [line[1] for line in home.log() if line[0] == "learn"].count("train/2") == 1
    assert "grid-rate=2,heat=0.5" in home.call("dvc", "exp", "show", "--csv")


def test_a_clone_in_another_state_is_refused(machines):
    home, _ = machines
    toy.edit(home.project, "rate: 1,", "rate: 9,")
    assert home.wait(home.run("reproduce/pipeline")) == "FAILED"
    failed = [run for run in home.runs("run-stage") if run["state_type"] == "FAILED"]
    assert failed and all(
        f"not those of the run that asked for {run['name']}" in run["state"]["message"] for run in failed
    )


def made(stack: Stack, sweep: str) -> int:
    """How many points this clone has the files of."""
    return len(list((stack.project / "reports/sweeps" / sweep).glob("*.json")))


def test_a_commit_that_a_machine_lacks_is_fetched_and_else_the_point_is_left_to_others(machines, tmp_path):
    home, away = machines
    toy.commit(home.project)
    grid = {"methods.toy.inpaint.heat": [5.0]}
    assert home.wait(home.run("sweep/grid", name="fetched", grid=grid)) == "COMPLETED"
    assert made(away, "fetched") == 1
    away.call("git", "remote", "set-url", "origin", "/nowhere")
    toy.commit(home.project)
    run = home.run("sweep/grid", name="left", grid=grid)
    [left, *_] = until(lambda: [one for one in home.runs("run-point") if one["state_name"] == "PutBack"])
    told = left["state"]["message"]
    assert told.startswith(f"{away.project}: no commit ") and "/nowhere" in told and len(told.splitlines()) == 1
    with one_more(home, tmp_path):
        assert home.wait(run) == "COMPLETED"
    assert made(home, "left") == 1 and made(away, "left") == 0


def test_runs_of_machines_that_went_are_made_good_without_a_lock_of_theirs(machines, tmp_path):
    """Kill -9 of all that runs on both, the servers too; one of the two does not come back."""
    home, away = machines
    away.call("git", "remote", "set-url", "origin", str(home.project))
    toy.train(home.project, rate=1, steps=300)
    run = home.run("sweep/grid", name="lost", grid={"methods.toy.train.rate": [61]})
    learning(home, "train/61")
    for stack in machines:
        for process in stack.processes():
            process.kill()
        shutil.rmtree(stack.environment["TMPDIR"])
        Path(stack.environment["TMPDIR"]).mkdir()
    home.serve()
    home.flows("workers", "start")
    with one_more(home, tmp_path):
        until(lambda: home.state(run) == "COMPLETED", 600)  # crashed, for a moment, it is begun again
    points = [one for one in home.runs("run-point") if one["name"].startswith("lost/")]
    assert [one["state_type"] for one in points] == ["CRASHED", "COMPLETED"] and made(home, "lost") == 1
    assert {one["state_type"] for one in home.runs("sweep")} <= FINAL
