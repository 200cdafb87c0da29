"""Locks on files, freed by the system when their last holder ends, however it ends."""

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

POLL_S = 0.2


def acquire(path: Path, keep_waiting: Callable[[], bool]) -> IO[str] | None:
    """The locked file: open, it holds the lock. None where it is not free and `keep_waiting` says no."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("a+")
    while not _locked(file):
        if not keep_waiting():
            file.close()
            return None
        time.sleep(POLL_S)
    return file


@contextmanager
def held(path: Path, busy: BaseException | None = None) -> Iterator[IO[str]]:
    """Hold the lock at `path`: after waiting for it, or, where `busy` is given, raising that instead."""
    file = acquire(path, lambda: busy is None)
    if file is None:
        assert busy is not None
        raise busy
    with file:
        yield file


def is_held(path: Path) -> bool:
    """Whether a living process holds the lock."""
    if not path.exists():
        return False
    with path.open("a") as file:
        return not _locked(file)


def _locked(file: IO[str]) -> bool:
    """Whether the lock could be had at once."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
