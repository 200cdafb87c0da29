"""A search's points that were given up early, as they lie in reports/sweeps/<name>/stopped/: a note each, no scores."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages.contract import UserError
from stages.project.files import visible

FOLDER = "stopped"
NOTE = {"point": str, "overrides": dict, "step": int, "value": float, "search": dict}  # what a note must have


@dataclass(frozen=True)
class Stopped:
    """One point: what it set, and the `value` of the val `curve` of `part` at the step where it was given up."""

    name: str
    overrides: Mapping[str, Any]
    part: str
    curve: str
    step: int
    value: float


def read(folder: Path) -> tuple[Stopped, ...]:
    """Those of the sweep in `folder` (reports/sweeps/<name>), those that learnt longest first; UserError where a note
    is damaged.
    """
    found = [_stopped(path) for path in visible(folder / FOLDER, "*.json")]
    return tuple(sorted(found, key=lambda one: (-one.step, one.name)))


def told(some: Sequence[Stopped]) -> Iterator[str]:
    """A line each: which point, where, and its figure there."""
    for one in some:
        yield f"{one.name}: at step {one.step:,}, its val {one.curve} of {one.part} {one.value:.4g}"


def _stopped(path: Path) -> Stopped:
    try:
        note = json.loads(path.read_text())
        if not all(isinstance(note[name], kind) for name, kind in NOTE.items()):
            raise ValueError(path)
        stop = note["search"]["stop"]
        return Stopped(
            note["point"], note["overrides"], str(stop["part"]), str(stop["curve"]), note["step"], note["value"]
        )
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path}: no note of a point that was stopped; remove it and run the sweep again") from error
