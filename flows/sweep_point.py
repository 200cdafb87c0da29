"""One point of a sweep: its own worktree, `dvc repro` of its scores, an experiment, and what stays of it."""

import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from prefect import flow, get_run_logger, runtime
from prefect.states import State

from flows import commands, division, graph, locks, names, run_log, stage, subflows, worktree
from flows.early_stop import Judge
from flows.errors import CommitMissing
from flows.results import Results
from flows.sweep_spec import Overrides
from flows.worktree import Worktree

TRAINING = ("parameters", "seconds", "steps", "skipped_steps")  # of a part's figures, those that its note tells


def _run_name() -> str:
    given = runtime.flow_run.parameters
    part = given.get("part", "")
    stages = given["stages"] if part else ()
    return f"{given['sweep']}/{division.named(given['point'], *stages, part)}"


@flow(flow_run_name=_run_name)
def run_point(
    sweep: str,
    point: str,
    overrides: Overrides,
    methods: list[str],
    commit: str,
    stages: Sequence[str] = (),
    part: str = "",
    against: Sequence[str] | None = None,
) -> State | None:
    """Make one point of a sweep, or, at its values, the stages that several points need, or with `part`, as 1/4, that
    part of the one of `stages`; the `sweep` flow asks for it.

    A finished point is left as it is; one whose curve falls behind those of the points `against` is stopped early.
    """
    run_log.keep()
    try:
        work = partial(make, sweep, point, overrides, methods, commit, stages, part, against)
        return commands.crash_if_abandoned(work)
    except CommitMissing as missing:
        return subflows.put_back(str(missing))


def make(
    sweep: str,
    point: str,
    overrides: Overrides,
    methods: list[str],
    commit: str,
    stages: Sequence[str] = (),
    part: str = "",
    against: Sequence[str] | None = None,
) -> None:
    """What `run_point` does, in this process's project."""
    names.check_sweep(sweep)
    names.check_point(point)
    tree = Worktree(Path().resolve(), sweep, point)
    if part:
        return _make_part(tree, overrides, commit, stages[0], part)
    with locks.held(tree.lock):
        if stages:
            _make_stages(tree, overrides, commit, stages)
        else:
            _make_point(tree, overrides, commit, methods, against)


def _make_stages(tree: Worktree, overrides: Overrides, commit: str, stages: Sequence[str]) -> None:
    """Into the DVC cache, and, shared, to the remote: there the points find them."""
    tree.open(commit, overrides)
    _reproduce(tree, stages)
    tree.remove()


def _make_part(tree: Worktree, overrides: Overrides, commit: str, stage: str, part: str) -> None:
    """One part of a stage, beside its others, once what it needs is there: the first to come takes that over."""
    with locks.held(tree.lock):
        tree.open(commit, overrides)
        known = graph.read(tree.folder)
        _reproduce(tree, known[stage].parents)
        is_due = graph.would_run(stage, tree.folder)
    if is_due:
        lock = _lock(tree).with_name(f"{stage}.{part.replace('/', '-of-')}.lock")
        commands.run(division.command(known[stage], part), tree.folder, lock, tree.environment(), launched=True)


def _make_point(
    tree: Worktree, overrides: Overrides, commit: str, methods: Sequence[str], against: Sequence[str] | None
) -> None:
    """The point, from wherever it stands to its files in reports/sweeps, or to where its search gives it up."""
    results, sweep, point = Results(tree.root, tree.sweep), tree.sweep, tree.point
    if results.has_ended(point, commit):
        return get_run_logger().info(f"{sweep}/{point}: finished already")
    start = time.monotonic()
    tree.open(commit, overrides)
    judge = None if against is None else Judge(results, tree.folder, against)
    _reproduce(tree, graph.benchmarks(methods), judge.gives_up if judge else commands.never)
    if judge and judge.gives_up():  # or it came to its end before it was seen: what is stopped is no matter of time
        return _stop(tree, overrides, judge)
    experiment = _save(tree, methods)
    _export_pictures(tree, results.pictures(point), methods)
    note = {
        "overrides": overrides,
        "commit": commit,
        "experiment": experiment,
        "methods": list(methods),
        "seconds": round(time.monotonic() - start, 1),
        "parts": _parts(tree.folder),
        "trainings": _trainings(tree.folder),
        **({"curve": judge.curve()} if judge else {}),
    }
    results.write(point, tree.folder / "reports" / "scores", note)
    tree.remove()
    record(tree.root, sweep, "--point", point)


def _stop(tree: Worktree, overrides: Overrides, judge: Judge) -> None:
    Results(tree.root, tree.sweep).write_stopped(tree.point, {"overrides": overrides, **judge.note()})
    get_run_logger().info(f"{tree.sweep}/{tree.point}: stopped early, {judge.told}")
    tree.remove()


def _reproduce(tree: Worktree, targets: Sequence[str], ends: Callable[[], bool] = commands.never) -> None:
    graph.repair_busy_list(tree.folder)
    shared = stage.is_shared()
    _dvc(tree, "repro", *(["--pull"] if shared else []), *targets, launched=True, ends=ends)
    if shared:
        _dvc(tree, "push", "--run-cache", "--with-deps", *targets)


def _save(tree: Worktree, methods: Sequence[str]) -> str:
    """A DVC experiment of the point's stages; worktrees share refs, so one at a time, by a lock that no sweep has."""
    name, lock = f"{tree.sweep}-{tree.point}", tree.root / worktree.FOLDER / ".experiments.lock"
    words = ["--wait-for-lock", "exp", "save", "--force", "--name", name, *_stages(tree, methods)]
    commands.run(["dvc", *words], tree.folder, lock, tree.environment())
    return name


def _parts(folder: Path) -> dict[str, str]:
    """Fingerprints by method/part: the trainings that the point came from."""
    configs = folder.glob("data/models/*/[!.]*/config.json")
    return {"/".join(path.parts[-3:-1]): json.loads(path.read_text())["fingerprint"] for path in configs}


def _trainings(folder: Path) -> dict[str, dict[str, float]]:
    """By method/part: how many parameters it has, what it took, and how many of its steps met a gradient not finite."""
    found = {path: json.loads(path.read_text()) for path in folder.glob("data/models/*/[!.]*/metrics.json")}
    return {"/".join(path.parts[-3:-1]): {name: one[name] for name in TRAINING} for path, one in found.items()}


def _stages(tree: Worktree, methods: Sequence[str]) -> list[str]:
    """All that the point is made of, parents first."""
    return graph.ancestors(graph.read(tree.folder), graph.benchmarks(methods))


def _export_pictures(tree: Worktree, folder: Path, methods: Sequence[str]) -> None:
    """The first completion of a few images of every test set, for the report."""
    shutil.rmtree(folder, ignore_errors=True)  # what a killed point had begun
    few = ("--images", "4", "--samples", "1")
    for method in methods:
        words = ["plurifill", "export", method, *few, "--output", str(folder / method)]
        missing = f"{tree.sweep}/{tree.point} has no pictures"
        _run_or_warn(words, tree.folder, _lock(tree), missing, tree.environment())


def record(root: Path, sweep: str, *words: str) -> None:
    """Tell MLflow of a sweep; `words` narrow down what of it."""
    lock = root / ".dvc" / "tmp" / "running" / "record.lock"
    missing = "/".join([sweep, *words[1:]])
    otherwise = f"{missing} is not in MLflow; `plurifill record --sweep {sweep}` records it later"
    _run_or_warn(["plurifill", "record", "--sweep", sweep, *words], root, lock, otherwise)


def _dvc(tree: Worktree, *words: str, launched: bool = False, ends: Callable[[], bool] = commands.never) -> None:
    commands.run(["dvc", "--wait-for-lock", *words], tree.folder, _lock(tree), tree.environment(), launched, ends)


def _lock(tree: Worktree) -> Path:
    """Held while a command runs in the worktree."""
    return tree.folder / ".dvc" / "tmp" / "point.lock"


def _run_or_warn(
    words: list[str], folder: Path, lock: Path, otherwise: str, environment: Mapping[str, str] | None = None
) -> None:
    """What no score depends on: where it fails, the log says so and the point is finished all the same."""
    try:
        commands.run(words, folder, lock, environment)
    except RuntimeError as error:
        get_run_logger().warning(f"{otherwise}: {error}")
