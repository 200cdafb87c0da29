"""What a sweep leaves in the project: `reports/sweeps/<name>.json`, and in the folder, of every finished point,
three files and a few pictures.
"""

import json
import math
import shutil
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from flows import files, git
from flows.errors import InvalidRequest
from flows.search_spec import Goal
from flows.sweep_spec import SweepSpec
from flows.sweep_work import Work, changed

FINISHED = "reports/sweeps"  # as dvc.yaml names it
CODE = ("dvc.yaml", "stages")  # what a point's result depends on, besides values of params.yaml
ENDINGS = (".parquet", ".summary.parquet", ".json")  # of a point's files; the last is written last


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

    @property
    def commit(self) -> str:
        """The commit that its points are made at; "" where none was begun."""
        return str(json.loads(self.spec.read_text())["commit"]) if self.spec.is_file() else ""

    def begin(self, sweep: SweepSpec, work: Mapping[str, Work], head: str, anew: bool) -> str:
        """The commit that its points are made at: the one it was begun at, where it is this very sweep; else `head`.

        InvalidRequest: a sweep of that name with other points, methods, code or values that these read; begun `anew`,
        its points are made again, and each stays as it is until it is.
        """
        now = {"points": dict(sweep.points), "methods": list(sweep.methods), **_code(self.root, head)}
        now |= {"search": sweep.search.told} if sweep.search else {}
        was = json.loads(self.spec.read_text()) if self.spec.is_file() else {}
        other = [key for key, value in now.items() if was.get(key) != value] if was else []
        other = other or (self._changed(sweep, work, was["commit"]) if was else [])
        if was and not other:
            return str(was["commit"])
        if was and not anew:
            self._refuse(str(was["commit"])[:7], other)
        self.folder.mkdir(parents=True, exist_ok=True)
        files.write_json(self.spec, {"sweep": sweep.name, "commit": head, **now})
        return head

    def _changed(self, sweep: SweepSpec, work: Mapping[str, Work], commit: str) -> list[str]:
        """What the points read in params.yaml that the commit has otherwise."""
        try:
            then = git.run(self.root, "show", f"{commit}:params.yaml")
        except RuntimeError:  # history was written anew
            return ["commit, which is not here any more"]
        if then == (self.root / "params.yaml").read_text().strip():
            return []
        return changed(sweep, work, (self.root / "dvc.yaml").read_text(), then)

    def _refuse(self, commit: str, other: list[str]) -> None:
        raise InvalidRequest(
            f"{self.spec}: begun at {commit} with other {', '.join(other)}; finish it from there "
            f"(git checkout {commit}), choose another name, or begin anew (anew)"
        )

    def is_finished(self, point: str, commit: str) -> bool:
        """Whether the point is finished, as that commit has it: its json is written last."""
        return self._note(point).get("commit") == commit

    def finished(self) -> list[str]:
        """The points that are finished at the sweep's commit."""
        commit = self.commit
        return [path.stem for path in sorted(self.folder.glob("[!.]*.json")) if self.is_finished(path.stem, commit)]

    def stopped(self) -> dict[str, dict[str, Any]]:
        """The notes of the points that the sweep's search, as it is, has given up at its commit, by name."""
        told = json.loads(self.spec.read_text()) if self.spec.is_file() else {}
        notes = [json.loads(path.read_text()) for path in sorted(self._stopped.glob("[!.]*.json"))]
        alike = [note for note in notes if all(note[key] == told.get(key) for key in ("commit", "search"))]
        return {note["point"]: note for note in alike}

    def has_ended(self, point: str, commit: str) -> bool:
        """Whether there is nothing more to make of the point: it is finished, or given up."""
        return self.is_finished(point, commit) or point in self.stopped()

    def forget_others(self, points: Collection[str], commit: str) -> None:
        """Once all of these are finished: remove what a sweep of this name had that is no point any more."""
        if not all(self.has_ended(point, commit) for point in points):
            return
        given_up = self.stopped().keys() & set(points)
        for note in [path for path in self._stopped.glob("[!.]*.json") if path.stem not in given_up]:
            note.unlink()
        for note in [path for path in self.folder.glob("[!.]*.json") if path.stem not in points]:
            shutil.rmtree(self.pictures(note.stem), ignore_errors=True)
            for path in self.paths(note.stem)[::-1]:
                path.unlink(missing_ok=True)

    def paths(self, point: str) -> list[Path]:
        """A point's files, the one that is written last behind the others."""
        return [self.folder / f"{point}{ending}" for ending in ENDINGS]

    def pictures(self, point: str) -> Path:
        """Where the first completions of a few images stay: what the report shows of a point."""
        return self.folder / f"{point}.pictures"

    def write(self, point: str, scores: Path, note: Mapping[str, Any]) -> None:
        """Take over the point's tables from the worktree's `scores`, then the note of what it is."""
        self.folder.mkdir(parents=True, exist_ok=True)
        *stems, about = self.paths(point)
        about.unlink(missing_ok=True)  # of the point as it was before: its tables are replaced
        for place, ending in zip(stems, ENDINGS, strict=False):
            tables = [pd.read_parquet(scores / f"{method}{ending}") for method in note["methods"]]
            frame = pd.concat(tables, ignore_index=True).assign(point=point)
            files.write(place, partial(frame.to_parquet, write_page_checksum=True))
        files.write_json(about, {"sweep": self.sweep, "point": point, **note})

    def write_stopped(self, point: str, note: Mapping[str, Any]) -> None:
        """Note that the search has given the point up, where, and its curve up to there."""
        told = json.loads(self.spec.read_text())
        about = {"sweep": self.sweep, "point": point, "commit": told["commit"], "search": told["search"], **note}
        self._stopped.mkdir(parents=True, exist_ok=True)
        files.write_json(self._stopped / f"{point}.json", about)

    def curve(self, point: str) -> list[tuple[int, float]]:
        """What a search compares of a finished point, or of one that it has given up; none where it never did."""
        note = self._note(point) if self.is_finished(point, self.commit) else self.stopped().get(point, {})
        return [(step, value) for step, value in note.get("curve", ())]

    def score(self, point: str, goal: Goal) -> float:
        """A finished point's score; not a number where it has none."""
        rows = pd.read_parquet(self.paths(point)[1])
        for name in ("method", "protocol", "metric"):
            rows = rows[rows[name] == getattr(goal, name)]
        return float(rows["estimate"].iloc[0]) if len(rows) else math.nan

    def table(self, points: Iterable[str], commit: str) -> list[dict[str, Any]]:
        """A line a point: finished or not, at which step a search gave it up, its experiment, its seconds."""
        notes = {point: self._note(point) if self.is_finished(point, commit) else {} for point in points}
        steps = {point: note["step"] for point, note in self.stopped().items()}
        return [
            {
                "point": point,
                "finished": bool(note),
                "stopped at": steps.get(point, ""),
                **{key: note.get(key, "") for key in ("experiment", "seconds")},
            }
            for point, note in notes.items()
        ]

    @property
    def _stopped(self) -> Path:
        """A folder of its own: what has a note in the sweep's own has scores."""
        return self.folder / "stopped"

    def _note(self, point: str) -> dict[str, Any]:
        path = self.folder / f"{point}.json"
        return json.loads(path.read_text()) if path.is_file() else {}


def _code(root: Path, head: str) -> dict[str, str]:
    return {name: git.run(root, "rev-parse", f"{head}:{name}") for name in CODE}
