"""When something befalls a process: at its n-th operation on the project's files, as Python's audit hooks tell them.

An operation is a file opened for writing, renamed, linked or removed, or a folder made or removed. The hook comes
before it, so `at=n` lets n - 1 operations happen.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
CHANGES = {"os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir"}


@dataclass(frozen=True)
class Trigger:
    """At operation `at` of those on paths with `word` in them: the signal `send`, or from then on no file over `room`.

    A write that reaches over `room` bytes ends the process by SIGXFSZ there, so that a half of the file is left.
    `at` = 0 never happens; `counted` is a file that tells how many operations there were.
    """

    at: int = 0
    word: str = ""
    kind: str = ""  # of an audit event: open, os.rename ...
    send: int = 0
    room: int = 0
    counted: Path | None = None

    def arm(self, place: Path) -> None:
        """In the process that it is to befall."""
        seen, inside = 0, f"{place}/"

        def hook(event: str, arguments: tuple[Any, ...]) -> None:
            nonlocal seen
            path = _changed(event, arguments)
            told = self.kind in {"", event} and path is not None and self.word in path
            if not told or not os.path.abspath(path).startswith(inside):  # noqa: PTH100
                return
            seen += 1
            if self.counted:
                self.counted.write_text(str(seen))
            if seen == self.at:
                self._happen()

        sys.addaudithook(hook)

    def _happen(self) -> None:
        if self.send:
            os.kill(os.getpid(), self.send)
        if self.room:
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
            resource.setrlimit(resource.RLIMIT_FSIZE, (self.room, self.room))


def _changed(event: str, arguments: tuple[Any, ...]) -> str | None:
    """The path that an operation changes; None for what changes none."""
    if event == "open":
        path, _, flags = arguments
        return os.fsdecode(path) if flags & WRITES and not isinstance(path, int) else None
    return os.fsdecode(arguments[0]) if event in CHANGES and not isinstance(arguments[0], int) else None
