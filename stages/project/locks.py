"""One process at a time: an advisory lock on a file, freed by the system when its holder ends, however it ends."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stages.contract import UserError


@contextmanager
def held(path: Path, patience_s: float, busy: str) -> Iterator[None]:
    """Hold the lock at `path`, waiting at most `patience_s`; UserError(busy) where another process keeps it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        until = time.monotonic() + patience_s
        while not _taken(file.fileno()):
            if time.monotonic() >= until:
                raise UserError(busy)
            time.sleep(0.1)
        yield


def is_free(path: Path) -> bool:
    """Whether nobody holds the lock now."""
    if not path.exists():
        return True
    with path.open("a") as file:
        return _taken(file.fileno())


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
