"""The same flows in one process, without server or worker."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.flows import toy
from tests.flows.house import House
from tests.flows.test_reproduce import learning

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> House:
    """The toy without servers."""
    found = House.of(toy.make(tmp_path_factory.mktemp("alone") / "toy"))
    del found.environment["PREFECT_API_URL"]
    return found


def flow(house: House, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", *words], cwd=house.project, env=house.environment,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def test_a_killed_run_leaves_no_orphan_and_the_next_completes(alone):
    running = flow(alone, "flows.reproduce")
    trainer = psutil.Process(int(learning(alone, "train/1")[3]))
    running.kill()
    running.wait()
    psutil.wait_procs([trainer], timeout=60)
    assert not trainer.is_running()
    alone.flows("reproduce")
    assert "up to date" in alone.call("dvc", "status")


def test_a_second_run_has_nothing_to_do(alone):
    before = len(alone.log())
    alone.flows("reproduce")
    assert len(alone.log()) == before


def test_interrupted_it_saves(alone):
    toy.edit(alone.project, "rate: 1, steps: 20", "rate: 2, steps: 300")
    running = flow(alone, "flows.reproduce")
    pid = int(learning(alone, "train/2")[3])
    os.kill(running.pid, signal.SIGTERM)
    running.communicate()
    psutil.wait_procs([p for p in alone.processes()], timeout=60)
    assert not psutil.pid_exists(pid) and alone.log()[-1][:2] == ["saved", "train/2"]
    toy.edit(alone.project, "rate: 2, steps: 300", "rate: 2, steps: 5")


def test_a_sweep(alone):
    alone.flows("sweep", "grid")
    folder = Path(alone.project) / "reports" / "sweeps" / "grid"
    about = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    assert [one["overrides"]["methods.toy.train.rate"] for one in about] == [1, 1, 2, 2]
    assert len([line for line in alone.log() if line[0] == "learn" and line[1] == "train/1"]) <= 3


def test_a_mistake_is_one_line(alone):
    said = alone.call(sys.executable, "-m", "flows.sweep", "gird", expect=2)
    assert said.splitlines()[-1] == "sweep: params.yaml: no sweep sweeps.gird; did you mean grid?"


def test_uncommitted_changes_are_refused(alone):
    params = alone.project / "params.yaml"
    before = params.read_text()
    params.write_text(before.replace("heat: 1.0", "heat: 7.0"))
    assert "params.yaml: changed since the last commit" in alone.call(
        sys.executable, "-m", "flows.sweep", "grid", expect=2
    )
    params.write_text(before)
