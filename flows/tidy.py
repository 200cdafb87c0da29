"""`python -m flows.tidy [--free]`: what the DVC cache holds that nothing needs any more; `--free` removes it.

Needed is what the workspace, a branch, a tag, an experiment (as every finished point of a sweep is) or the worktree of
an unfinished point refers to. DVC decides; this says so first, and passes it all that is to be kept.
"""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from dvc.lock import LockError
from dvc.repo import Repo

from flows import git, locks, worktree
from flows.errors import InvalidRequest

KEPT = {"workspace": True, "all_branches": True, "all_tags": True, "all_experiments": True}
RUNNING = Path(".dvc/tmp/running")  # locks of stages and pipelines


def main() -> None:
    """Exit code 2 where something runs: what it is about to refer to is not known yet."""
    parser = argparse.ArgumentParser(prog="python -m flows.tidy", description="Say what nothing needs any more.")
    parser.add_argument("--free", action="store_true", help="remove it")
    logging.getLogger("dvc").setLevel(logging.ERROR)  # it warns of every output that is not made yet
    free = parser.parse_args().free
    try:
        unneeded, kept = collect(Path(), free)
    except InvalidRequest as error:
        print(f"tidy: {error}", file=sys.stderr)
        sys.exit(2)
    print(f"kept: what the workspace, branches and tags need, {kept}")
    size = f"{len(unneeded)} objects, {sum(unneeded) / 1e6:.1f} MB of the DVC cache"
    print(f"freed: {size}" if free else f"would free: {size}" + "; `make tidy FREE=1` does" * bool(unneeded))


def collect(root: Path, free: bool) -> tuple[list[int], str]:
    """The bytes of every object that nothing needs, removed if `free`; what is kept beside the revisions, in words.

    InvalidRequest while a sweep, a pipeline or a stage runs.
    """
    _require_rest(root)
    open_points = sorted(str(path.parent.parent) for path in (root / worktree.FOLDER).glob("*/*/.dvc/config"))
    experiments = git.run(root, "for-each-ref", "--format=%(refname)", "refs/exps/").split()
    named = [name for name in experiments if not name.startswith(("refs/exps/exec/", "refs/exps/stash"))]
    try:
        sizes = _unneeded(root, open_points)
        if free and sizes:
            with Repo(str(root)) as repo:
                repo.gc(**KEPT, repos=open_points, force=True)
    except LockError as error:
        raise InvalidRequest("a dvc command runs here; tidy when it has ended") from error
    return sizes, f"{len(named)} experiments, {len(open_points)} unfinished points of sweeps"


def _require_rest(root: Path) -> None:
    for path in [*(root / worktree.FOLDER).glob("*.lock"), *(root / RUNNING).glob("*.lock")]:
        if locks.is_held(path):
            raise InvalidRequest(f"{path.stem} is running; tidy when it has ended")


def _unneeded(root: Path, open_points: Sequence[str]) -> list[int]:
    """The sizes of what DVC's dry run names, in bytes."""
    told, names = _Told(), logging.getLogger("dvc_data.hashfile.gc")
    names.addHandler(told)
    names.setLevel(logging.INFO)
    try:
        with Repo(str(root)) as repo:
            repo.gc(**KEPT, repos=list(open_points), force=True, dry=True)
    finally:
        names.removeHandler(told)
    return [path.stat().st_size for path in told.paths]


class _Told(logging.Handler):
    """DVC's dry run gives its paths to the log alone."""

    def __init__(self) -> None:
        super().__init__()
        self.paths: list[Path] = []

    def emit(self, record: logging.LogRecord) -> None:
        """One path a record."""
        if isinstance(record.args, tuple) and record.args:
            self.paths.append(Path(str(record.args[0])))


if __name__ == "__main__":
    main()
