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
from tests.flows.stack import Stack, until
from tests.flows.test_guard import LAUNCHER
from tests.flows.test_reproduce import learning

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """The toy without servers."""
    return Stack.of(toy.make(tmp_path_factory.mktemp("alone") / "toy"))


def flow(stack: Stack, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", *words], cwd=stack.project, env=stack.environment,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def learnt(stack: Stack, since: int) -> list[str]:
    """Which parts were learnt to the end, by the log from a line on."""
    return sorted(line[1] for line in stack.log()[since:] if line[0] == "learnt")


def test_a_killed_run_leaves_no_orphan_and_the_next_completes(alone):
    toy.train(alone.project, rate=3, steps=20)
    running = flow(alone, "flows.reproduce")
    trainer = psutil.Process(int(learning(alone, "train/3")[3]))
    running.kill()
    running.wait()
    psutil.wait_procs([trainer], timeout=60)
    assert not trainer.is_running()
    alone.flows("reproduce")
    assert "up to date" in alone.call("dvc", "status")


def test_where_all_is_up_to_date_a_run_has_nothing_to_do(alone):
    alone.call("dvc", "repro")
    before = len(alone.log())
    alone.flows("reproduce")
    assert len(alone.log()) == before


def test_interrupted_it_saves(alone):
    toy.train(alone.project, rate=4, steps=300)
    running = flow(alone, "flows.reproduce")
    pid = int(learning(alone, "train/4")[3])
    os.kill(running.pid, signal.SIGTERM)
    running.communicate()
    psutil.wait_procs([p for p in alone.processes()], timeout=60)
    assert not psutil.pid_exists(pid) and alone.log()[-1][:2] == ["saved", "train/4"]


def test_with_a_launcher_every_dvc_repro_is_launched_and_saves_there(alone):
    launcher = alone.project.parent / "launcher.py"
    launcher.write_text(LAUNCHER)
    toy.train(alone.project, rate=6, steps=300)
    alone.environment["PLURIFILL_LAUNCHER"] = f"{sys.executable} {launcher}"
    running = flow(alone, "flows.reproduce")
    learning(alone, "train/6")
    os.kill(running.pid, signal.SIGTERM)
    running.communicate()
    psutil.wait_procs([p for p in alone.processes()], timeout=60)
    del alone.environment["PLURIFILL_LAUNCHER"]
    assert alone.log()[-1][:2] == ["saved", "train/6"]
    launched = [line.partition(" -- ")[2] for line in (alone.project / "launched").read_text().splitlines()]
    assert launched and all(line.startswith("dvc --wait-for-lock repro --single-item ") for line in launched)


def test_what_was_learnt_before_is_taken_over(alone):
    """From DVC's run cache: the project's own folder of what was finished last holds another."""
    alone.call("dvc", "repro")
    before = len(alone.log())
    for rate in (5, 6, 5):
        toy.train(alone.project, rate, steps=10)
        alone.flows("reproduce")
    assert learnt(alone, before) == ["train/5", "train/6"]
    weights = (alone.project / "data/models/toy/train/weights").read_text()
    assert json.loads(weights) == {"rate": 5, "steps": 10}


def test_a_sweep(alone):
    """A point learns neither what the project has learnt, though the code reads otherwise now, nor what another has."""
    toy.train(alone.project, rate=1, steps=30)
    alone.call("dvc", "repro")
    work = alone.project / "work.py"
    work.write_text(f"{work.read_text()}# as good as before\n")
    toy.commit(alone.project)
    before = len(alone.log())
    alone.flows("sweep", "grid")
    folder = alone.project / "reports" / "sweeps" / "grid"
    notes = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    assert [note["overrides"]["methods.toy.train.rate"] for note in notes] == [1, 1, 2, 2]
    assert learnt(alone, before) == ["train/2"]


def test_a_half_done_sweep_outlives_a_commit_that_it_does_not_read_and_each_night_stays(alone):
    toy.edit(alone.project, "sweeps:\n", "sweeps:\n  half: {grid: {methods.toy.inpaint.heat: [3.0, 4.0]}}\n")
    folder = alone.project / "reports" / "sweeps" / "half"
    running = flow(alone, "flows.sweep", "half")
    [done] = until(lambda: list(folder.glob("*.json")))
    os.kill(running.pid, signal.SIGTERM)
    running.communicate()
    before = done.read_bytes()
    toy.edit(alone.project, "good: true", "good: false")
    alone.flows("sweep", "half", "--nightly")
    assert done.read_bytes() == before and commits(folder) == {json.loads(before)["commit"]}
    toy.edit(alone.project, "other: {steps: 10}", "other: {steps: 11}")
    said = alone.call(sys.executable, "-m", "flows.sweep", "half", expect=2)
    begun = json.loads(before)["commit"][:7]
    assert f"\nsweep: {folder}.json: begun at {begun} with other methods.toy.other.steps (10, now 11); " in said
    alone.flows("sweep", "half", "--anew", "--nightly")
    first, second = sorted((folder / "nights").iterdir())
    assert commits(first) == {json.loads(before)["commit"]} != commits(second) == commits(folder)


def commits(folder: Path) -> set[str]:
    """Those that its two points were made at."""
    notes = [json.loads(path.read_text()) for path in folder.glob("*.json")]
    assert len(notes) == 2
    return {note["commit"] for note in notes}


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
