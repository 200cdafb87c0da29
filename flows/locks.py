"""Locks on files, freed by the system when their holder ends, however it ends."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

POLL_S = 0.2


@contextmanager
def held(path: Path, busy: BaseException | None = None) -> Iterator[IO[str]]:
    """Hold the lock at `path`: after waiting for it, or, where `busy` is given, raising that instead."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        while not _taken(file):
            if busy:
                raise busy
            time.sleep(POLL_S)
        yield file


def is_held(path: Path) -> bool:
    """Whether a living process holds the lock."""
    if not path.exists():
        return False
    with path.open("a") as file:
        return not _taken(file)


def _taken(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
