"""Runs a command that must not outlive the flow that asked for it: `guard.py [--hold FILE] [--watch PID] -- COMMAND`.

`--launcher "srun ..."`: the command runs where that puts it, in this folder, under a guard of its own there, to which
the launcher hands on SIGTERM.

A process of its own, without Prefect: cancelled, or left alone by a flow or a worker that was killed, it asks the
command's work to save and stop, waits for that, and leaves nothing running. While it runs it holds its locks (a
device's, a stage's), so that the same device or stage is not given to another, however this one's flow ended.
"""

import argparse
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType
from typing import IO

import psutil

if not __package__:  # run by its path: beside these files, not those of a point's worktree in PYTHONPATH
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from flows import locks, processes

ABANDONED = 75  # exit code: the flow or its worker is gone; the same command goes on where this one stopped
GRACE_S = float(os.environ.get("PLURIFILL_GRACE_S", "120"))  # to save; then what still runs is killed
POLL_S = 0.2


class Guard:
    """One command's life."""

    def __init__(self, watched: list[int], holds: list[Path], launcher: list[str]) -> None:
        self.launcher = launcher
        self.watched = [psutil.Process(pid) for pid in watched if psutil.pid_exists(pid)]
        self.lost = len(self.watched) < len(watched)
        self.holds = holds
        self.stop_signal = 0  # that asked it to end

    def run(self, command: list[str]) -> int:
        """The command's exit code; 128 + signal after a stop, ABANDONED where a watched process has ended."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._note)
        processes.adopt_orphans()  # of the command: none is missed
        files = [file for path in self.holds if (file := self._hold(path)) is not None]
        if self._ends():
            return self._code()
        process = subprocess.Popen(
            [*self._there(), *command],
            start_new_session=True,
            preexec_fn=_before_command,
            pass_fds=[f.fileno() for f in files],
        )
        while process.poll() is None and not self._ends():
            time.sleep(POLL_S)
        stopped = process.poll() is None
        _stop(process, bool(self.launcher))
        return self._code() if stopped else process.returncode

    def _there(self) -> list[str]:
        """The words before the command; a container's own folder is not that one of a sweep's point."""
        guard = ["python", "-P", str(Path(__file__).resolve()), "--in", str(Path.cwd()), "--"]
        return [*self.launcher, *guard] if self.launcher else []

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.stop_signal = number

    def _hold(self, path: Path) -> IO[str] | None:
        """The open, locked file; None where the wait for it was ended."""
        if file := locks.acquire(path, lambda: False):
            return file
        print(f"waiting: {path.stem} is in use", flush=True)
        return locks.acquire(path, lambda: not self._ends())

    def _ends(self) -> bool:
        self.lost = self.lost or not all(map(processes.is_alive, self.watched))
        return self.lost or bool(self.stop_signal)

    def _code(self) -> int:
        return ABANDONED if self.lost else 128 + self.stop_signal


def _before_command() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell's `command &` has it ignored
    processes.end_with_parent()


def _stop(process: subprocess.Popen[bytes], launched: bool) -> None:
    """SIGTERM to the work, so that it saves; the command is left to tidy up behind it; at last SIGKILL to all.

    A command without work (dvc, between its stages) is asked itself, by SIGINT: SIGTERM would end dvc in the middle of
    a file. A launcher is asked by SIGTERM, which it hands on: its command has a guard, and its grace, there.
    """
    asked: set[int] = set()
    until = time.monotonic() + GRACE_S * (2 if launched else 1)
    while running := _running():
        if time.monotonic() > until:
            for child in running:
                child.kill()
        for child in _work(process) if time.monotonic() < until and not launched else ():
            if child.pid not in asked:
                asked.add(child.pid)
                child.terminate()
        if not asked:
            asked.add(process.pid)
            process.send_signal(signal.SIGTERM if launched else signal.SIGINT)
        process.poll()
        time.sleep(POLL_S)
    process.wait()


def _running() -> list[psutil.Process]:
    """Every descendant that has not ended."""
    return [child for child in psutil.Process().children(recursive=True) if processes.is_alive(child)]


def _work(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """What is to save: the command's children (dvc's stage), not theirs (a training's loaders); orphans likewise."""
    own = [child for child in psutil.Process().children() if child.pid != process.pid and processes.is_alive(child)]
    try:
        return own + [child for child in psutil.Process(process.pid).children() if processes.is_alive(child)]
    except psutil.NoSuchProcess:
        return own


def main() -> None:
    """Exit with the command's code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hold", type=Path, action="append", default=[])
    parser.add_argument("--watch", type=int, action="append", default=[])
    parser.add_argument("--launcher", type=shlex.split, default=[])
    parser.add_argument("--in", type=Path, default=Path(), dest="folder")
    parser.add_argument("command", nargs="+")
    given = parser.parse_args()
    os.chdir(given.folder)
    sys.exit(Guard(given.watch, given.hold, given.launcher).run(given.command))


if __name__ == "__main__":
    main()
