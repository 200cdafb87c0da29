"""A point's own checkout: a git worktree of the sweep's commit that shares the project's DVC cache and remotes."""

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from dvc.repo import Repo

from flows import files, git, tracking
from flows.overrides import overridden
from flows.sweep_spec import Overrides

SETTLED_S = 0.2  # a file that was last written so long ago is whole
FINISHED = Path("progress/finished")  # below data/, as the stages have it
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
        """Make it, or go on in it where it is there at this commit. CommitMissing where git cannot get the commit."""
        is_new = self._filled_at() != commit
        if is_new:
            git.require(self.root, commit)
            self.remove()
            git.run(self.root, "worktree", "add", "--quiet", "--force", "--detach", str(self.folder), commit)
            self._copy_dvc_lock()
            self._link_finished()
        self._configure()
        text = git.run(self.root, "show", f"{commit}:params.yaml")
        files.write_text(self.folder / "params.yaml", overridden(text + "\n", overrides))
        if is_new:
            files.write_text(self._filled, commit)

    def remove(self) -> None:
        """Nothing of it stays but what is in the DVC cache."""
        shutil.rmtree(self.folder, ignore_errors=True)
        git.run(self.root, "worktree", "prune")

    def environment(self) -> dict[str, str]:
        """For commands in it: this commit's code, artefacts in the worktree, tracking in the project's database."""
        own = {k: v for k, v in os.environ.items() if k not in {"PLURIFILL_DATA", "PLURIFILL_REPORTS"}}
        paths = [str(self.folder), *filter(None, [own.get("PYTHONPATH")])]
        late = self._data / "progress" / "unlogged"  # what MLflow does not take outlives the worktree
        own |= {"PYTHONPATH": os.pathsep.join(paths), "PLURIFILL_UNLOGGED": str(late)}
        if not (own.get("MLFLOW_TRACKING_URI") or own.get("MLFLOW_BACKEND_STORE_URI")):
            own["MLFLOW_TRACKING_URI"] = tracking.address(self.root, self.folder)
        return own

    @property
    def _data(self) -> Path:
        """The project's artefacts."""
        return self.root / (os.environ.get("PLURIFILL_DATA") or "data")

    @property
    def _filled(self) -> Path:
        """A file that is written once the worktree is whole."""
        return self.folder / ".dvc" / "tmp" / "filled"

    def _filled_at(self) -> str:
        return self._filled.read_text() if self._filled.is_file() else ""

    def _copy_dvc_lock(self) -> None:
        """Begin with what the project knows of all stages, so that the experiment can be applied whole."""
        lock = self.root / "dvc.lock"
        if not lock.is_file():
            return
        while 0 <= time.time() - lock.stat().st_mtime < SETTLED_S:  # DVC may be in the middle of writing it
            time.sleep(SETTLED_S)
        shutil.copyfile(lock, self.folder / "dvc.lock")

    def _link_finished(self) -> None:
        """What the project has trained and drawn: a stage that finds its very result there puts it back."""
        source = self._data / FINISHED
        try:
            if source.is_dir():
                shutil.copytree(source, self.folder / "data" / FINISHED, copy_function=files.link)
        except OSError:  # a stage of the project replaces it just now (shutil.Error is one): the point makes its own
            shutil.rmtree(self.folder / "data" / FINISHED, ignore_errors=True)

    def _configure(self) -> None:
        with Repo(str(self.root)) as main, Repo(str(self.folder)) as own, own.config.edit("local") as config:
            config["cache"]["dir"] = main.cache.local_cache_dir
            config["cache"]["type"] = ["reflink", "hardlink", "copy"]  # a link costs no disk
            config["remote"] = {name: dict(remote) for name, remote in main.config["remote"].items()}
            if default := main.config["core"].get("remote"):
                config["core"]["remote"] = default
