"""Being asked to stop: SIGTERM and SIGINT become a wish that the loop grants after the present step."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from types import FrameType, TracebackType

PR_SET_PDEATHSIG = 1  # linux/prctl.h


class Interrupted(Exception):  # noqa: N818 - a wish that was granted, not an error
    """The run was asked to stop; its state is saved. `code` is the exit code that a shell expects (128 + signal)."""

    def __init__(self, signum: int, where: str) -> None:
        super().__init__(f"stopped by {signal.Signals(signum).name} {where}; run the same command again to go on")
        self.code = 128 + signum


class Signals:
    """While entered, remembers the first SIGTERM or SIGINT in `caught`; a second ctrl-C ends at once."""

    def __init__(self) -> None:
        self.caught = 0

    def __enter__(self) -> Signals:
        self._before = {number: signal.signal(number, self._note) for number in (signal.SIGTERM, signal.SIGINT)}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, signum: int, frame: FrameType | None) -> None:
        if signum == self.caught == signal.SIGINT:
            raise KeyboardInterrupt
        self.caught = self.caught or signum


def end_with_dvc() -> None:
    """Under `dvc repro` on Linux, get SIGTERM when dvc dies, so that no orphan trains on (dvc does not pass it down).

    Only there: a run started from a shell may outlive it (nohup).
    """
    if sys.platform == "linux" and "DVC_STAGE" in os.environ:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
