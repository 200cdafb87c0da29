"""What shares of a pass leave for the whole of it: what metrics told, a file a piece."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from stages.contract import UserError
from stages.evaluation.seen import Told
from stages.project import arrays, locks

PATIENCE_S = 20.0  # for a process that removes what was kept
LOCK = ".lock"
SCORES, ROWS = "scores", "rows"  # the first words of names in a file: scores/<metric>/<value>, rows/<name>


def write(place: Path, number: int, told: Told) -> None:
    """What was told of the piece of that number."""
    scores = {f"{SCORES}/{metric}/{value}": value_B for (metric, value), value_B in told.scores.items()}
    arrays.write(_path(place, number), scores | {f"{ROWS}/{name}": row_B for name, row_B in told.rows.items()})


def read(place: Path, number: int, rows: Collection[str]) -> Told | None:
    """What `write` left of a piece; None where that is not there, is damaged, or lacks one of `rows`."""
    found, told = arrays.read(_path(place, number)) or {}, Told({}, {})
    for name, array in found.items():
        kind, *words = name.split("/")
        if kind == SCORES:
            told.scores[words[0], words[1]] = array
        else:
            told.rows[words[0]] = array
    return told if found and told.rows.keys() >= set(rows) else None


def _path(place: Path, number: int) -> Path:
    return place / f"{number:05d}.npz"


@contextmanager
def shared_parts(kept: Path) -> Iterator[None]:
    """While parts are being left in `kept`: several processes may."""
    with locks.held(kept / LOCK, PATIENCE_S, f"{kept}: another process removes it; try again", shared=True):
        yield


def forget_parts(kept: Path) -> None:
    """Remove what parts left, since scores have it now, or it is of other samples; not while more is being left."""
    if kept.is_dir():
        with suppress(UserError), locks.held(kept / LOCK, 0.0, "parts are being left"):
            shutil.rmtree(kept, ignore_errors=True)
