"""Samples and scores in parts, by two workers, of a project with one method at the tiny preset: one process's bytes,
whatever is cancelled and killed on the way.
"""

import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import psutil
import pytest
from ruamel.yaml import YAML

from tests import graph_copy
from tests.flows.stack import Stack, until

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]

METHOD = "latent_codes"
STAGES = {"shard", METHOD, "sample", "benchmark", "report"}


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two that have trained alike; in one of them a single process has sampled and scored."""
    here, alone = (tmp_path_factory.mktemp(name) / "project" for name in ("here", "alone"))
    graph_copy.fresh(here)
    leave_one_method(here)
    graph_copy.edit(here, "testsets.box.samples", 64)  # a piece an image
    graph_copy.commit(here)
    graph_copy.call(here, "dvc", "repro", *(f"{METHOD}@{part}" for part in ("encoder", "prior", "decoder")))
    shutil.copytree(here, alone)
    graph_copy.call(alone, "dvc", "repro")
    return here, alone


def leave_one_method(project: Path) -> None:
    yaml = YAML()
    pipeline = yaml.load(project / "dvc.yaml")
    for name in set(pipeline["stages"]) - STAGES:
        del pipeline["stages"][name]
    [names] = pipeline["vars"]
    for name in set(names["reads"]) - {METHOD}:
        del names["reads"][name]
    yaml.dump(pipeline, project / "dvc.yaml")


@pytest.fixture(scope="module")
def two(projects: tuple[Path, Path]) -> Iterator[Stack]:
    """The one where nothing is sampled, with two workers a pool."""
    with Stack.served(projects[0], PLURIFILL_CPU_SLOTS="2") as found:
        found.flows("workers", "start")
        found.flows("deploy")
        yield found


def parts_at_work(stack: Stack) -> list[psutil.Process]:
    """Those that draw or score, not their guards."""
    found = [(process, words(process)) for process in stack.processes()]
    return [process for process, own in found if "--part" in own[-2:-1] and "--" not in own]


def words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return []


def pieces(stack: Stack) -> dict[Path, int]:
    """What parts have left of samples, each as the very file that it is."""
    folder = stack.project / "data" / "progress" / METHOD / "samples"
    return {
        path.with_suffix(".tar"): path.with_suffix(".tar").stat().st_ino for path in folder.glob("*/samples-*.json")
    }


def held(stack: Stack) -> list[psutil.Process]:
    """Both parts, each standing still from its beginning on: they are quick, and what is done to them here is not."""
    found: dict[int, psutil.Process] = {}
    deadline = time.monotonic() + 600
    while len(found) < 2:
        assert time.monotonic() < deadline
        for part in parts_at_work(stack):
            if part.pid not in found:
                part.suspend()
                found[part.pid] = part
    return list(found.values())


def led_to_the_middle(stack: Stack, part: psutil.Process) -> None:
    """Step by step, until it has made a piece."""
    before, deadline = pieces(stack), time.monotonic() + 600
    while pieces(stack) == before:
        assert time.monotonic() < deadline
        part.resume()
        time.sleep(0.02)
        part.suspend()


def go_on(*parts: psutil.Process) -> None:
    """Once their guards have seen what was done, and asked them to end."""
    time.sleep(2)
    for part in parts:
        part.resume()


def states(stack: Stack, name: str) -> list[str]:
    return [run["state_type"] for run in stack.runs("run-stage") if run["name"] == name]


@pytest.fixture(scope="module")
def cancelled(two: Stack) -> dict[Path, int]:
    """The pieces that stand after a pipeline that was cancelled while both parts were at work."""
    run = two.run("reproduce/pipeline", parts=2)
    part, other = held(two)
    led_to_the_middle(two, part)
    two.set_state(run, "CANCELLING")
    assert two.wait(run) == "CANCELLED"
    for word in ("1/2", "2/2"):
        until(lambda word=word: states(two, f"sample@{METHOD} {word}") == ["CANCELLED"])
    go_on(part, other)
    until(lambda: not parts_at_work(two))
    return pieces(two)


def test_a_cancelled_pipeline_stops_all_parts(two: Stack, cancelled: dict[Path, int]) -> None:
    assert [states(two, f"sample@{METHOD} {part}") for part in ("1/2", "2/2")] == [["CANCELLED"], ["CANCELLED"]]
    assert cancelled and not states(two, f"sample@{METHOD}") and not states(two, f"benchmark@{METHOD} 1/2")


def test_with_a_worker_killed_in_the_middle_of_a_part_all_is_one_processs_to_the_byte(
    two: Stack, cancelled: dict[Path, int], projects: tuple[Path, Path]
) -> None:
    run = two.run("reproduce/pipeline", parts=2)
    part, other = held(two)
    led_to_the_middle(two, part)
    name = f"sample@{METHOD} {words(part)[-1]}"
    two.worker(f"gpu-on-{part.environ()['PLURIFILL_SLOT']}").send_signal(signal.SIGKILL)
    go_on(part, other)
    assert two.wait(run, 1500) == "COMPLETED"
    assert states(two, name) == ["CANCELLED", "CRASHED", "COMPLETED"]
    assert states(two, f"benchmark@{METHOD} 1/2") == states(two, f"benchmark@{METHOD} 2/2") == ["COMPLETED"]
    assert "up to date" in two.call("dvc", "status")
    here, alone = map(results, projects)
    assert here.keys() == alone.keys() and not [name for name in here if here[name] != alone[name]]
    finished = two.project / "data" / "progress" / "finished" / METHOD / "samples"  # links to what was published
    inodes = {path.stat().st_ino for path in finished.rglob("*.tar")}
    assert set(cancelled.values()) <= inodes  # what stood was not made again


def results(project: Path) -> dict[str, bytes]:
    """Samples, and every value and summary of their scores; what else lies there tells of seconds and of memory."""
    samples = [path for path in (project / "data" / "samples" / METHOD).rglob("*") if path.is_file()]
    scores = list((project / "reports" / "scores").glob("*.parquet"))
    found = [path for path in samples if path.suffix in (".tar", ".png") or path.name == "index.parquet"] + scores
    assert len(scores) == 2 and {path.suffix for path in found} == {".tar", ".png", ".parquet"}
    return {path.relative_to(project).as_posix(): path.read_bytes() for path in found}


def test_what_is_up_to_date_is_asked_for_in_no_parts(two: Stack) -> None:
    before = len(two.runs("run-stage"))
    assert two.wait(two.run("reproduce/pipeline", parts=2)) == "COMPLETED"
    assert len(two.runs("run-stage")) == before


HEAT = f"methods.{METHOD}.inpaint.temperature"


def test_a_points_samples_and_scores_in_parts_are_one_processs(two: Stack, projects: tuple[Path, Path]) -> None:
    assert two.wait(two.run("sweep/grid", name="heat", grid={HEAT: [0.25]}, parts=2), 1500) == "COMPLETED"
    parts = {run["name"] for run in two.runs("run-point")}
    assert parts == {"heat/temperature=0.25"} | {
        f"heat/temperature=0.25 {stage}@{METHOD} {part}" for stage in ("sample", "benchmark") for part in ("1/2", "2/2")
    }
    graph_copy.edit(projects[1], HEAT, 0.25)
    graph_copy.call(projects[1], "dvc", "repro", f"benchmark@{METHOD}")
    alone = pd.read_parquet(projects[1] / "reports" / "scores" / f"{METHOD}.parquet")
    point = pd.read_parquet(two.project / "reports" / "sweeps" / "heat" / "temperature=0.25.parquet")
    pd.testing.assert_frame_equal(point.drop(columns="point"), alone, check_exact=True)
    [log] = (two.project / ".prefect" / "runs").glob("run-point-heat_temperature=0.25-*.log")
    assert "pieces taken over from parts" in log.read_text()
    assert not list((two.project / ".dvc" / "tmp" / "sweeps" / "heat").glob("*"))  # no worktree stays
