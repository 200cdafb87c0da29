"""What a door is to the attack, and the room that it is attacked in: an empty folder, nothing set from outside."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

import hypothesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis.strategies import SearchStrategy

from stages.project import plugins
from tests.fuzz import doors
from tests.fuzz.verdict import Verdict

MEMORY = Path("/dev/shm")  # where files are written without waiting for a disk, on systems that have it
OUTSIDE = ("PLURIFILL_DATA", "PLURIFILL_REPORTS", "MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME")


class Door(Protocol):
    """A file in doors/."""

    INPUTS: int  # of a whole run
    SAMPLE: int  # of `make test`
    WRONG: str  # what a wrong acceptance is, and how it is told

    def prepare(self) -> None:
        """Once, in the working directory: what the inputs are given beside."""

    def hostile(self) -> SearchStrategy[Any]:
        """The inputs."""

    def knock(self, given: Any) -> Verdict:
        """What becomes of one; whatever else is raised is a fault of the product."""


@dataclass
class Tally:
    """How many of a door's inputs were accepted, rightly, and how many refused, in one line."""

    accepted: int = 0
    refused: int = 0
    lines: set[str] = field(default_factory=set)

    def count(self, verdict: Verdict) -> None:
        self.accepted += verdict.accepted
        self.refused += not verdict.accepted
        if not verdict.accepted:
            self.lines.add(verdict.line)


def names() -> list[str]:
    """All doors."""
    return plugins.names(doors.__name__)


def find(name: str) -> Door:
    return cast(Door, import_module(f"{doors.__name__}.{name}"))


def attack(door: Door, inputs: int, seed: int, tally: Tally | None = None) -> Tally:
    """So many inputs, the same for the same seed; the first fault is raised, with the smallest input that shows it."""
    tally = Tally() if tally is None else tally

    @hypothesis.seed(seed)
    @settings(
        max_examples=inputs,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )
    @hypothesis.given(door.hostile())
    def knock(given: Any) -> None:
        tally.count(door.knock(given))

    with room():
        door.prepare()
        knock()
    return tally


@contextmanager
def room() -> Iterator[Path]:
    """A new folder to work in."""
    before, kept = Path.cwd(), {name: os.environ.pop(name) for name in OUTSIDE if name in os.environ}
    where = MEMORY if MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="plurifill-fuzz-", dir=where) as folder:
        os.chdir(folder)
        try:
            yield Path(folder)
        finally:
            os.chdir(before)
            os.environ.update(kept)
