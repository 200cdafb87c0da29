"""One process at a time: an advisory lock on a file, freed by the system when its holder ends, however it ends."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path

from stages.contract import UserError


@contextmanager
def held(path: Path, patience_s: float, busy: str, shared: bool = False) -> Iterator[None]:
    """Hold the lock at `path`, waiting at most `patience_s`; UserError(busy) where another process keeps it.

    Those who hold it `shared` hold it together, while nobody holds it alone. The file is the holder's: it may remove
    it, and whoever waited for it then waits at the path's next one.
    """
    until = time.monotonic() + patience_s
    while (file := _opened(path, shared)) is None:
        if time.monotonic() >= until:
            raise UserError(busy)
        time.sleep(0.1)
    with file:
        yield


def _opened(path: Path, shared: bool) -> TextIOWrapper | None:
    """The file, locked; None where another process has it, or it was removed before it was ours."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("a+")  # read, too: some network file systems share no lock of a file that is only written
    if _taken(file.fileno(), shared) and _is_at(path, file.fileno()):
        return file
    file.close()
    return None


def _is_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _taken(descriptor: int, shared: bool) -> bool:
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
