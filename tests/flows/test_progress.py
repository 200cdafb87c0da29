"""How far a sweep is: counts of runs as the server tells them and of files, and the time that the rest may take."""

import json
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.states import State

from flows.progress import Progress, duration

POINTS = ("a=1", "a=2", "a=3", "a=4", "a=5")


def run(name: str, state: StateType, seconds: float = 0.0) -> FlowRun:
    took = timedelta(seconds=seconds)
    return FlowRun(flow_id=uuid4(), name=f"a/{name}", state=State(type=state), total_run_time=took)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two points have files, one of them of an earlier sweep of this name."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "reports/sweeps/a"
    folder.mkdir(parents=True)
    folder.with_name("a.json").write_text(json.dumps({"commit": "now"}))
    for point, commit in (("a=1", "now"), ("a=2", "before")):
        (folder / f"{point}.json").write_text(json.dumps({"commit": commit}))
    return tmp_path


def test_it_counts_points_by_runs_and_by_files_and_a_crash_made_good_is_no_failure(project: Path) -> None:
    crashed = run("a=3", StateType.CRASHED)
    good = run("a=3", StateType.COMPLETED, 100)
    others = [run("a=4", StateType.RUNNING), run("a=5", StateType.FAILED), run("shared-1", StateType.COMPLETED, 50)]
    assert Progress("a", POINTS).line([crashed, *others]).startswith("a: 1 of 5 points made, 1 running, 2 failed")
    assert Progress("a", POINTS).line([crashed, *others, good]).startswith("a: 2 of 5 points made, 1 running, 1 failed")


def test_the_rest_takes_the_mean_of_those_made_so_many_at_once_as_run(project: Path) -> None:
    made = [run("a=3", StateType.COMPLETED, 600), run("a=2", StateType.COMPLETED, 200)]
    rest = [run("a=4", StateType.RUNNING), run("a=5", StateType.RUNNING)]
    assert Progress("a", POINTS).line([*made, *rest]).endswith(f"; about {duration(timedelta(seconds=400))} left")
    assert Progress("a", POINTS).line([*made, rest[0]]).endswith(f"; about {duration(timedelta(seconds=800))} left")
    assert "left" not in Progress("a", POINTS).line(rest) and "left" not in Progress("a", POINTS).line(made)


def test_a_line_is_told_once(project: Path) -> None:
    progress, runs = Progress("a", POINTS), [run("a=4", StateType.RUNNING)]
    assert progress.line([]) == "" and progress.line(runs) and progress.line(runs) == ""


def test_of_a_pipeline_it_counts_what_was_asked_for(project: Path) -> None:
    runs = [run("shard", StateType.COMPLETED, 5), run("train", StateType.RUNNING)]
    assert Progress("pipeline").line(runs) == "pipeline: 1 made, 1 running, 0 failed"


def test_of_a_search_it_counts_the_points_that_have_files(project: Path) -> None:
    others = [
        run("a=4", StateType.RUNNING),
        run("b=5", StateType.COMPLETED, 5),
        run("shared-1", StateType.COMPLETED, 5),
    ]
    assert Progress("a", searched=9).line(others).startswith("a: 1 of 9 points made, 1 running, 0 failed")
