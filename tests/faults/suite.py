"""Which faults befall which command."""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.faults import faults, trainings
from tests.faults.cases import Case, Command
from tests.faults.ranks import RANKS
from tests.faults.trainings import TRAINING

Fault = Callable[[Case, random.Random], None]  # with a draw of its own; AssertionError where nothing recovers


def befalling(command: Command) -> tuple[Fault, ...]:
    """A training has checkpoints and ranks, and its disk is full of the former."""
    kills: tuple[Fault, ...] = (
        faults.killed_at_a_moment,
        faults.killed_at_an_operation,
        faults.killed_again_and_again,
        faults.asked_to_stop,
        faults.twice_at_once,
    )
    if command.words[0] == "train":
        return (*kills, trainings.disk_full, *TRAINING, *RANKS)
    return (*kills, faults.disk_full, faults.made_again)
