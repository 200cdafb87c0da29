"""What a sweep leaves in the project: `reports/sweeps/<name>.json`, and in the folder, of every finished point,
three files and a few pictures.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from flows.points import Sweep
from flows.refused import Refused
from flows.worktree import git

FINISHED = "reports/sweeps"  # as dvc.yaml names it
SOURCES = ("dvc.yaml", "params.yaml", "stages")  # what a point's result depends on, besides its overrides


@dataclass(frozen=True)
class Results:
    """One sweep's files."""

    root: Path
    sweep: str

    @property
    def folder(self) -> Path:
        """A finished point's `<point>.parquet`, `<point>.summary.parquet`, `<point>.json` and `<point>.pictures`."""
        return self.root / FINISHED / self.sweep

    @property
    def record(self) -> Path:
        """What the sweep is."""
        return self.folder.with_name(f"{self.sweep}.json")

    def begin(self, sweep: Sweep, head: str, anew: bool) -> str:
        """The commit that its points are made at: the one it was begun at, where it is this very sweep; else `head`.

        Refused: a sweep of that name with other points, methods or sources; `anew` forgets its points instead.
        """
        wanted = {"points": dict(sweep.points), "methods": list(sweep.methods), **_sources(self.root, head)}
        was = json.loads(self.record.read_text()) if self.record.is_file() else {}
        other = [key for key, value in wanted.items() if was.get(key) != value]
        if was and not other:
            return str(was["commit"])
        if was and not anew:
            self._refuse(str(was["commit"])[:7], other)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        _write_json(self.record, {"sweep": sweep.name, "commit": head, **wanted})
        return head

    def _refuse(self, commit: str, other: list[str]) -> None:
        raise Refused(
            f"{self.record}: begun at {commit} with other {', '.join(other)}; finish it from there "
            f"(git checkout {commit}), choose another name, or begin anew (anew)"
        )

    def done(self, point: str) -> bool:
        """Whether the point is finished: its json is written last."""
        return (self.folder / f"{point}.json").is_file()

    def pictures(self, point: str) -> Path:
        """Where the first completions of a few images stay: what the report shows of a point."""
        return self.folder / f"{point}.pictures"

    def write(self, point: str, scores: Path, about: Mapping[str, Any]) -> None:
        """Take over the point's tables from the worktree's `scores`, then tell what it is."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for ending in (".parquet", ".summary.parquet"):
            tables = [pd.read_parquet(scores / f"{method}{ending}") for method in about["methods"]]
            frame = pd.concat(tables, ignore_index=True).assign(point=point)
            _write(self.folder / f"{point}{ending}", frame.to_parquet)
        _write_json(self.folder / f"{point}.json", {"sweep": self.sweep, "point": point, **about})

    def rows(self, points: Iterable[str]) -> list[dict[str, Any]]:
        """A line a point: finished or not, its experiment, its seconds."""
        found = []
        for point in points:
            about = json.loads((self.folder / f"{point}.json").read_text()) if self.done(point) else {}
            told = {key: about.get(key, "") for key in ("experiment", "seconds")}
            found.append({"point": point, "finished": bool(about), **told})
        return found


def _sources(root: Path, head: str) -> dict[str, str]:
    return {name: git(root, "rev-parse", f"{head}:{name}") for name in SOURCES}


def _write_json(path: Path, values: Mapping[str, Any]) -> None:
    _write(path, lambda part: part.write_text(json.dumps(values, indent=2) + "\n"))


def _write(path: Path, write: Callable[[Path], object]) -> None:
    """Whole or not at all."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    write(part)
    part.replace(path)
