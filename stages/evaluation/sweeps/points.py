"""A sweep's finished points as they lie in reports/sweeps/<name>/: tables of scores, and a note that is written last.

<point>.parquet and <point>.summary.parquet are the methods' tables in reports/scores with a column `point`;
<point>.json has sweep, point, overrides ({dotted key: value}), commit, experiment, seconds, methods, and of its trained
parts fingerprints (parts) and TRAINING (trainings).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from stages.contract import UserError
from stages.evaluation.sweeps import stopped
from stages.evaluation.sweeps.stopped import Stopped
from stages.project import tables
from stages.project.entries import Entry
from stages.project.files import visible
from stages.project.params import nearest

NOTE = {"point": str, "overrides": dict}  # what a note must have
TRAINING = ("parameters", "seconds", "steps", "skipped_steps")  # numbers of every trained part; earlier notes have none
LONG = ("method", "protocol", "card", "image", "source", "k", "metric", "value")
SUMMARY = ("method", "protocol", "card", "metric", "estimate", "low", "high", "n", "sources", "k", "better")


@dataclass(frozen=True)
class Point:
    """One finished point: what it set, its note, and its scores (see reports/README.md)."""

    name: str
    overrides: Mapping[str, Any]
    note: Mapping[str, Any]
    long: pd.DataFrame
    summary: pd.DataFrame

    def text(self, key: str) -> str:
        """What it sets there, as text: a null is a value, and not a key that it leaves alone."""
        if key not in self.overrides:
            return "–"
        value = self.overrides[key]
        return "null" if value is None else f"{value:g}" if is_number(value) else str(value)

    def trainings(self, entry: str) -> dict[str, Mapping[str, float]]:
        """TRAINING of the parts of the entry's method, by part."""
        own = f"{Entry.parse(entry).method}/"
        found = self.note.get("trainings", {})
        return {name.removeprefix(own): one for name, one in found.items() if name.startswith(own)}


@dataclass(frozen=True)
class Sweep:
    """The finished points in the order of their values; beside them those that a search gave up."""

    name: str
    points: tuple[Point, ...]
    stopped: tuple[Stopped, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """Every key that a point sets."""
        return tuple(dict.fromkeys(key for point in self.points for key in point.overrides))

    @property
    def varied(self) -> tuple[str, ...]:
        """The keys in which points differ."""
        return tuple(key for key in self.keys if len({point.text(key) for point in self.points}) > 1)

    def numeric(self, key: str) -> bool:
        """Whether every point sets a number there."""
        return all(is_number(point.overrides.get(key)) for point in self.points)

    def point(self, name: str) -> Point:
        """The point of that name; UserError names the nearest one."""
        for point in self.points:
            if point.name == name:
                return point
        raise UserError(f"sweep {self.name}: no finished point {name}{nearest(name, [p.name for p in self.points])}")


def read(folder: Path) -> Sweep:
    """The sweep in `folder` (reports/sweeps/<name>); UserError where no point of it is finished."""
    found = [_point(path) for path in visible(folder, "*.json")]
    if not found:
        others = [path.parent.name for path in visible(folder.parent, "*/*.json")]
        known = nearest(folder.name, list(dict.fromkeys(others)))
        raise UserError(f"{folder}: no finished point of such a sweep{known}")
    keys = dict.fromkeys(key for point in found for key in point.overrides)
    ranked = sorted(found, key=lambda point: [_rank(point.overrides.get(k)) for k in keys])
    return Sweep(folder.name, tuple(ranked), stopped.read(folder))


def read_all(folder: Path) -> list[Sweep]:
    """Every sweep below `folder` (reports/sweeps) with a finished point."""
    return [read(place) for place in sorted({path.parent for path in visible(folder, "*/*.json")})]


def short(keys: Sequence[str]) -> dict[str, str]:
    """Each dotted key's shortest ending that no other of the keys has: `alpha`, or `vq.lr` beside `prior.lr`."""
    alone = {key: [end for end in _endings(key) if sum(_ends(other, end) for other in keys) == 1] for key in keys}
    return {key: [*ends, key][0] for key, ends in alone.items()}


def is_number(value: Any) -> bool:
    """A number that can be drawn: True and False are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _point(path: Path) -> Point:
    try:
        note = json.loads(path.read_text())
    except ValueError as error:
        raise UserError(f"{path}: damaged; remove it and run the sweep again") from error
    if not _is_note(note):
        raise UserError(f"{path}: no note of a sweep's point, which has {' and '.join(NOTE)}; run the sweep again")
    stem = path.with_suffix("")
    summary = tables.read(stem.with_name(f"{stem.name}.summary"), SUMMARY)
    return Point(note["point"], note["overrides"], note, tables.read(stem, LONG), summary)


def _is_note(note: Any) -> bool:
    if not isinstance(note, dict) or not all(isinstance(note.get(name), kind) for name, kind in NOTE.items()):
        return False
    trainings = note.get("trainings", {})
    return isinstance(trainings, dict) and all(
        isinstance(one, dict) and all(_is_count(one.get(name)) for name in TRAINING) for one in trainings.values()
    )


def _is_count(value: Any) -> bool:
    """Of something: at least 0, and as exact in a float."""
    return is_number(value) and 0 <= value < 2**53


def _rank(value: Any) -> tuple[bool, float, str]:
    """Numbers by size, then all else by name."""
    return (False, float(value), "") if is_number(value) else (True, 0.0, str(value))


def _endings(key: str) -> list[str]:
    words = key.split(".")
    return [".".join(words[start:]) for start in range(len(words) - 1, -1, -1)]


def _ends(key: str, end: str) -> bool:
    return key == end or key.endswith(f".{end}")
