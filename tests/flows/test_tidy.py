"""Tidying the cache: what it says is what it does, and no finished point is lost by it."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from flows import locks, names, worktree
from flows.worktree import Worktree
from tests.flows import toy
from tests.flows.stack import Stack

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]

RATE = "methods.toy.train.rate"
SWEEP, POINT = "s" * names.SWEEP_MAX, "p" * names.POINT_MAX  # the longest that there are


def cached(project: Path) -> dict[Path, int]:
    """Every object of the cache, with its bytes."""
    return {path: path.stat().st_size for path in (project / ".dvc/cache/files").rglob("*") if path.is_file()}


def tidied(stack: Stack, *words: str) -> str:
    return stack.call(sys.executable, "-m", "flows.tidy", *words).splitlines()[-1]


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """The cache has what the workspace needs, an experiment, a point that is not finished, and what is past."""
    stack = Stack.of(toy.make(tmp_path_factory.mktemp("tidy") / "toy"))
    for rate in (1, 2, 3):
        toy.train(stack.project, rate, steps=1)
        stack.call("dvc", "repro")
        if rate == 2:
            stack.call("dvc", "exp", "save", "--name", f"{SWEEP}-{POINT}")
    tree = Worktree(stack.project.resolve(), SWEEP, POINT)
    tree.open(stack.call("git", "rev-parse", "HEAD").strip(), {RATE: 4})
    with locks.held(tree.lock):  # its name is a file's too
        pass
    own = Stack(tree.folder, {**stack.environment, "PYTHONPATH": str(tree.folder)})
    own.call("dvc", "repro", "toy@train")
    return stack


def test_it_frees_what_it_said_and_keeps_workspace_experiments_and_unfinished_points(full: Stack) -> None:
    before = cached(full.project)
    said = tidied(full)
    assert said.startswith("would free: ") and cached(full.project) == before
    assert tidied(full, "--free") == said.replace("would free", "freed").removesuffix("; `make tidy FREE=1` does")
    freed = {path: size for path, size in before.items() if path not in cached(full.project)}
    assert said.startswith(f"would free: {len(freed)} objects, {sum(freed.values()) / 1e6:.1f} MB") and freed
    assert tidied(full).startswith("would free: 0 objects, 0.0 MB")
    weights = "data/models/toy/train/weights"
    for folder, rate in ((full.project, 3), (full.project / worktree.FOLDER / SWEEP / POINT, 4)):
        shutil.rmtree(folder / "data/models")
        Stack(folder, full.environment).call("dvc", "checkout", "toy@train")
        assert json.loads((folder / weights).read_text())["rate"] == rate
    full.call("dvc", "exp", "apply", f"{SWEEP}-{POINT}")
    assert json.loads((full.project / weights).read_text())["rate"] == 2
    assert not [path for path in cached(full.project) if '"rate": 1' in path.read_text(errors="replace")]


@pytest.mark.parametrize("lock", [worktree.FOLDER / "alpha.lock", Path(".dvc/tmp/running/toy@train.lock")])
def test_while_something_runs_nothing_is_freed(full: Stack, lock: Path) -> None:
    before = cached(full.project)
    with locks.held(full.project / lock):
        said = full.call(sys.executable, "-m", "flows.tidy", "--free", expect=2)
    assert said.strip() == f"tidy: {lock.stem} is running; tidy when it has ended" and cached(full.project) == before
