"""A point's own checkout: a git worktree of the sweep's commit that shares the project's DVC cache and remotes."""

import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from dvc.repo import Repo

from flows import points
from flows.points import Overrides
from flows.refused import Refused

SETTLED_S = 0.2  # a file that was last written so long ago is whole
FOLDER = Path(".dvc/tmp/sweeps")  # outside of git's and of dvc's sight, on the cache's disk


@dataclass(frozen=True)
class Worktree:
    """Where a point is computed. It outlives a crash, so that the point goes on; a finished point removes it."""

    root: Path  # the project, absolute
    sweep: str
    point: str

    @property
    def folder(self) -> Path:
        """Its place."""
        return self.root / FOLDER / self.sweep / self.point

    @property
    def lock(self) -> Path:
        """Held while the point is being made."""
        return self.root / FOLDER / f"{self.sweep}.{self.point}.lock"

    def open(self, commit: str, overrides: Overrides) -> None:
        """Make it, or go on in it where it is there at this commit."""
        if self._head() != commit:
            self.remove()
            git(self.root, "worktree", "add", "--quiet", "--force", "--detach", str(self.folder), commit)
            self._take_lock()
        self._configure()
        text = git(self.root, "show", f"{commit}:params.yaml")
        (self.folder / "params.yaml").write_text(points.overridden(text + "\n", overrides))

    def remove(self) -> None:
        """Nothing of it stays but what is in the DVC cache."""
        shutil.rmtree(self.folder, ignore_errors=True)
        git(self.root, "worktree", "prune")

    def environment(self) -> dict[str, str]:
        """For commands in it: this commit's code, artefacts in the worktree, tracking in the project's database."""
        own = {k: v for k, v in os.environ.items() if k not in {"PLURIFILL_DATA", "PLURIFILL_REPORTS"}}
        paths = [str(self.folder), *filter(None, [own.get("PYTHONPATH")])]
        tracking = own.get("MLFLOW_TRACKING_URI") or f"sqlite:///{self.root / 'mlflow.db'}"
        return own | {"PYTHONPATH": os.pathsep.join(paths), "MLFLOW_TRACKING_URI": tracking}

    def _head(self) -> str:
        return git(self.folder, "rev-parse", "HEAD") if (self.folder / ".git").is_file() else ""

    def _take_lock(self) -> None:
        """Begin with what the project knows of all stages, so that the experiment can be applied whole."""
        lock = self.root / "dvc.lock"
        if not lock.is_file():
            return
        while 0 <= time.time() - lock.stat().st_mtime < SETTLED_S:  # DVC may be in the middle of writing it
            time.sleep(SETTLED_S)
        shutil.copyfile(lock, self.folder / "dvc.lock")

    def _configure(self) -> None:
        with Repo(str(self.root)) as main, Repo(str(self.folder)) as own, own.config.edit("local") as config:
            config["cache"]["dir"] = main.cache.local_cache_dir
            config["cache"]["type"] = ["reflink", "hardlink", "copy"]  # a link costs no disk
            config["remote"] = {name: dict(remote) for name, remote in main.config["remote"].items()}
            if default := main.config["core"].get("remote"):
                config["core"]["remote"] = default


def git(root: Path, *words: str) -> str:
    """What git says, stripped; RuntimeError with its complaint."""
    done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"git {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout.strip()


def clean_head(root: Path) -> str:
    """The checked-out commit, where points begin. Refused where tracked files but dvc.lock differ from it."""
    changed = git(root, "status", "--porcelain", "--untracked-files=no", "--", ".", ":!dvc.lock")
    if changed:
        files = ", ".join(line.split()[-1] for line in changed.splitlines()[:3])
        raise Refused(
            f"{files}: changed since the last commit; a sweep runs what is committed (git commit, or git stash)"
        )
    return git(root, "rev-parse", "HEAD")
