"""One point of a sweep: its own worktree, `dvc repro` of its scores, an experiment, and what stays of it."""

import json
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

from prefect import flow, get_run_logger
from prefect.states import State

from flows import commands, graph, locks, presence, stage, worktree
from flows.points import Overrides
from flows.results import Results
from flows.worktree import Worktree


@flow(flow_run_name="{sweep}/{point}")
def run_point(sweep: str, point: str, overrides: Overrides, methods: list[str], commit: str) -> State | None:
    """Make one point of a sweep; the `sweep` flow asks for it. A finished point is left as it is."""
    presence.announce()
    return commands.crash_if_abandoned(lambda: make(sweep, point, overrides, methods, commit))


def make(sweep: str, point: str, overrides: Overrides, methods: list[str], commit: str) -> None:
    """The point, from wherever it stands to its files in reports/sweeps."""
    root = Path().resolve()
    results, tree = Results(root, sweep), Worktree(root, sweep, point)
    with locks.held(tree.lock):
        if results.done(point):
            return get_run_logger().info(f"{sweep}/{point}: finished already")
        start = time.monotonic()
        tree.open(commit, overrides)
        _reproduce(tree, _targets(methods))
        experiment = _save(tree, methods)
        about = {"overrides": overrides, "commit": commit, "experiment": experiment, "methods": methods}
        _keep_pictures(tree, results.pictures(point), methods)
        told = {**about, "seconds": round(time.monotonic() - start, 1), "parts": _parts(tree.folder)}
        results.write(point, tree.folder / "reports" / "scores", told)
        tree.remove()
    _remember(root, sweep, point)


def _parts(folder: Path) -> dict[str, str]:
    """Fingerprints by method/part: the trainings that the point came from."""
    configs = folder.glob("data/models/*/*/config.json")
    return {"/".join(path.parts[-3:-1]): json.loads(path.read_text())["fingerprint"] for path in configs}


def _reproduce(tree: Worktree, targets: list[str]) -> None:
    graph.mend(tree.folder)
    shared = stage.shared()
    pull = ["--pull"] if shared else []
    _dvc(tree, tree.folder / ".dvc" / "tmp" / "point.lock", "repro", *pull, *targets)
    if shared:
        _dvc(tree, tree.folder / ".dvc" / "tmp" / "point.lock", "push", "--run-cache", "--with-deps", *targets)


def _save(tree: Worktree, methods: list[str]) -> str:
    """A DVC experiment of the point's stages; worktrees share refs, so one at a time."""
    name, lock = f"{tree.sweep}-{tree.point}", tree.root / worktree.FOLDER / "experiments.lock"
    made = graph.ancestors(graph.read(tree.folder), _targets(methods))
    _dvc(tree, lock, "exp", "save", "--force", "--name", name, *made)
    return name


def _targets(methods: list[str]) -> list[str]:
    return [f"benchmark@{method}" for method in methods]


def _dvc(tree: Worktree, lock: Path, *words: str) -> None:
    commands.run(["dvc", "--wait-for-lock", *words], tree.folder, lock, tree.environment())


def _keep_pictures(tree: Worktree, folder: Path, methods: list[str]) -> None:
    """The first completion of a few images of every draw, for the report."""
    shutil.rmtree(folder, ignore_errors=True)  # what a killed point had begun
    lock, few = tree.folder / ".dvc" / "tmp" / "point.lock", ("--images", "4", "--samples", "1")
    for method in methods:
        words = ["plurifill", "export", method, *few, "--output", str(folder / method)]
        _run_or_warn(words, tree.folder, lock, f"{tree.sweep}/{tree.point} has no pictures", tree.environment())


def _remember(root: Path, sweep: str, point: str) -> None:
    """Tell MLflow."""
    lock = root / ".dvc" / "tmp" / "running" / "record.lock"
    words = ["plurifill", "record", "--sweep", sweep, "--point", point]
    _run_or_warn(words, root, lock, f"{sweep}/{point} is not in MLflow")


def _run_or_warn(
    words: list[str], folder: Path, lock: Path, otherwise: str, environment: Mapping[str, str] | None = None
) -> None:
    """What no score depends on: where it fails, the log says so and the point is finished all the same."""
    try:
        commands.run(words, folder, lock, environment)
    except RuntimeError as error:
        get_run_logger().warning(f"{otherwise}: {error}")
