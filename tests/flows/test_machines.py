"""Two machines: clones of one repository with a DVC remote between them, one server, a worker pool each."""

import subprocess

import pytest

from tests.flows import toy
from tests.flows.stack import Stack

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory):
    """(home, away): home has the servers and the flows that wait; its pool is cpu, and gpu is that of away."""
    folder = tmp_path_factory.mktemp("machines")
    first = toy.make(folder / "home" / "toy")
    subprocess.run(["dvc", "remote", "add", "--default", "between", str(folder / "remote")], cwd=first, check=True)
    toy.commit(first)
    subprocess.run(["git", "clone", "--quiet", str(first), str(folder / "away" / "toy")], check=True)
    home = Stack.of(first, PLURIFILL_POOLS="flows cpu", PLURIFILL_SHARED="1")
    away = Stack.of(folder / "away" / "toy", PLURIFILL_POOLS="gpu", PLURIFILL_SHARED="1")
    away.environment |= {"PREFECT_API_URL": home.api, "TOY_LOG": home.environment["TOY_LOG"]}
    try:
        home.flows("ui", "start")
        home.flows("workers", "start")
        away.flows("workers", "start")
        home.flows("deploy")
        yield home, away
    finally:
        away.close()
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
