"""What a sweep leaves in the project: `reports/sweeps/<name>.json`, and in the folder, of every finished point,
three files and a few pictures.
"""

import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from flows import files, git
from flows.errors import InvalidRequest
from flows.sweep_spec import SweepSpec

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
    def spec(self) -> Path:
        """The file that tells what the sweep is, and at which commit its points are made."""
        return self.folder.with_name(f"{self.sweep}.json")

    def begin(self, sweep: SweepSpec, head: str, anew: bool) -> str:
        """The commit that its points are made at: the one it was begun at, where it is this very sweep; else `head`.

        InvalidRequest: a sweep of that name with other points, methods or sources; `anew` forgets its points instead.
        """
        wanted = {"points": dict(sweep.points), "methods": list(sweep.methods), **_sources(self.root, head)}
        was = json.loads(self.spec.read_text()) if self.spec.is_file() else {}
        other = [key for key, value in wanted.items() if was.get(key) != value]
        if was and not other:
            return str(was["commit"])
        if was and not anew:
            self._refuse(str(was["commit"])[:7], other)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        files.write_json(self.spec, {"sweep": sweep.name, "commit": head, **wanted})
        return head

    def _refuse(self, commit: str, other: list[str]) -> None:
        raise InvalidRequest(
            f"{self.spec}: begun at {commit} with other {', '.join(other)}; finish it from there "
            f"(git checkout {commit}), choose another name, or begin anew (anew)"
        )

    def is_finished(self, point: str) -> bool:
        """Whether the point is finished: its json is written last."""
        return (self.folder / f"{point}.json").is_file()

    def pictures(self, point: str) -> Path:
        """Where the first completions of a few images stay: what the report shows of a point."""
        return self.folder / f"{point}.pictures"

    def write(self, point: str, scores: Path, note: Mapping[str, Any]) -> None:
        """Take over the point's tables from the worktree's `scores`, then the note of what it is."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for ending in (".parquet", ".summary.parquet"):
            tables = [pd.read_parquet(scores / f"{method}{ending}") for method in note["methods"]]
            frame = pd.concat(tables, ignore_index=True).assign(point=point)
            files.write(self.folder / f"{point}{ending}", frame.to_parquet)
        files.write_json(self.folder / f"{point}.json", {"sweep": self.sweep, "point": point, **note})

    def table(self, points: Iterable[str]) -> list[dict[str, Any]]:
        """A line a point: finished or not, its experiment, its seconds."""
        notes = {point: self._note(point) for point in points}
        return [
            {"point": point, "finished": bool(note), **{key: note.get(key, "") for key in ("experiment", "seconds")}}
            for point, note in notes.items()
        ]

    def _note(self, point: str) -> dict[str, Any]:
        return json.loads((self.folder / f"{point}.json").read_text()) if self.is_finished(point) else {}


def _sources(root: Path, head: str) -> dict[str, str]:
    return {name: git.run(root, "rev-parse", f"{head}:{name}") for name in SOURCES}
