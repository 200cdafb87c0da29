"""Verbs in processes of their own, forked from a server that has imported them: a kill costs no seconds of imports.

Nothing of the product is replaced in them: what a fault does, the system does (signals, a file system's limits).
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from tests.faults.triggers import Trigger

PATIENCE_S = 240.0  # for a verb to end, before it counts as hung
ENVIRONMENT = {  # no pretrained weights, and no way to get them
    "PIP_NO_INDEX": "1",
    "PLURIFILL_DATA": "data",
    "PLURIFILL_REPORTS": "reports",
    "PLURIFILL_WEIGHTS": "",
    "TORCH_HOME": "no-weights",
    "UV_NO_CACHE": "1",
    "UV_OFFLINE": "1",
    "https_proxy": "http://127.0.0.1:9",
}


@dataclass
class Verb:
    """A running verb of the project in `place`."""

    process: ForkServerProcess
    said: Path  # its stdout and stderr

    def end(self, patience_s: float = PATIENCE_S) -> Ended:
        """Wait for it; AssertionError where it hangs."""
        self.process.join(patience_s)
        assert self.process.exitcode is not None, f"hangs: {self.said.read_text()}"
        return Ended(self.process.exitcode, self.said.read_text())

    def kill_after(self, seconds: float, signum: int) -> Ended:
        """Send the signal then, unless it has ended before, and wait for it."""
        self.process.join(seconds)
        if self.process.exitcode is None:
            os.kill(self.process.pid or 0, signum)
        return self.end()


@dataclass(frozen=True)
class Ended:
    """A verb's exit code, negative for the signal that killed it, and what it said."""

    code: int
    said: str

    @property
    def lines(self) -> list[str]:
        """What it said, without the bars of progress."""
        return [line for line in self.said.splitlines() if line.strip()]


@dataclass(frozen=True)
class Start:
    """What a process is given: the verb's words, the project's folder, its environment, what is to befall it."""

    words: tuple[str, ...]
    place: Path
    said: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    trigger: Trigger | None = None

    def __call__(self) -> None:
        os.chdir(self.place)
        os.environ.update(self.environment)
        _redirect(self.said)
        from stages.cli import app  # the server has it already

        if self.trigger:
            self.trigger.arm(self.place)
        app.run(self.words[0], list(self.words[1:]))


def start(
    place: Path, *words: str, environment: Mapping[str, str] | None = None, trigger: Trigger | None = None
) -> Verb:
    """`plurifill WORDS` in the project at `place`, on one thread; `trigger` is armed before it begins."""
    number = len(list(place.parent.glob(f"{place.name}.*.txt")))
    said = place.parent / f"{place.name}.{number}.txt"
    said.touch()
    process = _server().Process(target=Start(words, place, said, {**ENVIRONMENT, **(environment or {})}, trigger))
    process.start()
    return Verb(process, said)


def warm() -> None:
    """Wait for the server: what is started after that is measured without its imports."""
    process = _server().Process(target=int)
    process.start()
    process.join()


def _server() -> multiprocessing.context.ForkServerContext:
    """One for all; it computes nothing itself, so that what is forked from it has no threads."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.faults.imported"])
    return context


def _redirect(said: Path) -> None:
    descriptor = os.open(said, os.O_WRONLY | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(descriptor, stream)
    os.close(descriptor)
    for stream_object in (sys.stdout, sys.stderr):
        stream_object.reconfigure(line_buffering=True)  # type: ignore[union-attr]
