"""Samples and scores in parts, by two workers, of a project with one method at the tiny preset: one process's bytes,
whatever is cancelled and killed on the way.
"""

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from ruamel.yaml import YAML

from tests import graph_copy
from tests.flows.stack import Stack, until

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]

METHOD = "latent_codes"
STAGES = {"shard", METHOD, "sample", "benchmark", "report"}
MEASURED = {"store.json", "latency.parquet"}  # seconds, bytes of memory


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
    return [process for process in stack.processes() if "--part" in words(process)[-2:-1]]


def words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return []


def pieces(stack: Stack) -> dict[Path, int]:
    """What parts have left of samples, each as the very file that it is."""
    folder = stack.project / "data" / "progress" / METHOD / "samples"
    return {path.with_suffix(".tar"): path.with_suffix(".tar").stat().st_ino for path in folder.glob("*/samples-*.json")}


def states(stack: Stack, name: str) -> list[str]:
    return [run["state_type"] for run in stack.runs("run-stage") if run["name"] == name]


@pytest.fixture(scope="module")
def cancelled(two: Stack) -> dict[Path, int]:
    """The pieces that stand after a pipeline that was cancelled while both parts were at work."""
    run = two.run("reproduce/pipeline", parts=2)
    until(lambda: pieces(two) and len(parts_at_work(two)) == 2, 600)
    two.set_state(run, "CANCELLING")
    assert two.wait(run) == "CANCELLED"
    until(lambda: not parts_at_work(two))
    return pieces(two)


def test_a_cancelled_pipeline_stops_all_parts(two: Stack, cancelled: dict[Path, int]) -> None:
    for part in ("1/2", "2/2"):
        until(lambda part=part: states(two, f"sample@{METHOD} {part}") == ["CANCELLED"])
    assert cancelled and not states(two, f"sample@{METHOD}") and not states(two, f"benchmark@{METHOD} 1/2")


def test_with_a_worker_killed_in_the_middle_of_a_part_all_is_one_processs_to_the_byte(
    two: Stack, cancelled: dict[Path, int], projects: tuple[Path, Path]
) -> None:
    run = two.run("reproduce/pipeline", parts=2)
    [part, *_] = until(lambda: parts_at_work(two), 600)
    name = f"sample@{METHOD} {words(part)[-1]}"
    two.worker(f"gpu-on-{part.environ()['PLURIFILL_SLOT']}").send_signal(signal.SIGKILL)
    assert two.wait(run, 1500) == "COMPLETED"
    assert states(two, name) == ["CANCELLED", "CRASHED", "COMPLETED"]
    assert states(two, f"benchmark@{METHOD} 1/2") == states(two, f"benchmark@{METHOD} 2/2") == ["COMPLETED"]
    assert "up to date" in two.call("dvc", "status")
    here, alone = map(results, projects)
    assert here.keys() == alone.keys() and not [name for name in here if here[name] != alone[name]]
    inodes = {path.stat().st_ino for path in (two.project / "data" / "samples").rglob("*.tar")}
    assert set(cancelled.values()) <= inodes  # what stood was not made again


def results(project: Path) -> dict[str, bytes]:
    """Samples, and every value and summary of their scores."""
    samples = [path for path in (project / "data" / "samples" / METHOD).rglob("*") if path.is_file()]
    scores = list((project / "reports" / "scores").glob("*.parquet"))
    found = [path for path in samples if path.name not in MEASURED] + scores
    assert len(scores) == 2 and any(path.suffix == ".tar" for path in found)
    return {path.relative_to(project).as_posix(): path.read_bytes() for path in found}


def test_what_is_up_to_date_is_asked_for_in_no_parts(two: Stack) -> None:
    before = len(two.runs("run-stage"))
    assert two.wait(two.run("reproduce/pipeline", parts=2)) == "COMPLETED"
    assert len(two.runs("run-stage")) == before
