"""What befalls a training alone: its checkpoints are cut, its data come another way."""

from __future__ import annotations

import random
import signal
from pathlib import Path

from tests.faults import faults
from tests.faults.cases import Case
from tests.faults.faults import made_again
from tests.faults.harm import flip, truncate
from tests.faults.triggers import Trigger

STOPPED_IN_LOOP = 128 + signal.SIGTERM
WRITTEN = ".part-"  # in the name of a checkpoint that is being written


def saving(number: int, send: int = 0, room: int = 0) -> Trigger:
    """When a run begins to write its checkpoint of that number, from 1 on."""
    return Trigger(number, WRITTEN, "open", send, room)


def progress(case: Case, place: Path) -> Path:
    """Where the part's state in progress lies, a folder a configuration."""
    _, method, part = case.command.words
    return place / "data" / "progress" / method / part


def checkpoints(case: Case, place: Path) -> list[Path]:
    """Those that are there, oldest first."""
    return sorted(progress(case, place).glob("*/step-*"))


def killed_inside_a_checkpoints_write(case: Case, draw: random.Random) -> None:
    """Killed with a part of the checkpoint's bytes written."""
    place, room = case.fresh(), draw.randint(1, case.size - 1)  # a checkpoint has the released weights, and more
    ended = case.start(place, trigger=saving(draw.randint(1, 4), room=room)).end()
    assert ended.code == -signal.SIGXFSZ, ended
    (half,) = progress(case, place).glob(f"*/{WRITTEN}*")
    assert 0 < half.stat().st_size <= room
    case.finish(place)


def disk_full(case: Case, draw: random.Random) -> None:
    """Checkpoints are most of what training writes: two, and one that is being written."""
    place = _saved(case)
    faults.disk_full(case, draw, 3 * checkpoints(case, place)[-1].stat().st_size)


def truncated(case: Case, draw: random.Random) -> None:
    """The newest checkpoint ends early: the one before it is gone on from."""
    place = _saved(case)
    newest = checkpoints(case, place)[-1]
    truncate(newest, draw)
    assert f"{newest.name} is damaged" in case.finish(place).said


def bit_flipped(case: Case, draw: random.Random) -> None:
    """One bit of the newest checkpoint is another."""
    place = _saved(case)
    flip(checkpoints(case, place)[-1], draw)
    assert case.finish(place).said.count("is damaged") == 1


def all_damaged(case: Case, draw: random.Random) -> None:
    """One bit of every checkpoint is another: it starts anew."""
    place = _saved(case)
    for path in checkpoints(case, place):
        flip(path, draw)
    assert case.finish(place).said.count("is damaged") == 2


def other_workers(case: Case, draw: random.Random) -> None:
    """Stopped with none or some threads that draw batches, gone on with another number."""
    before, after = draw.sample(range(4), 2)
    place, key = case.fresh(), f"methods.{'.'.join(case.command.words[1:])}.loop.workers"
    stop = saving(draw.randint(1, 3), signal.SIGTERM)
    ended = case.start(place, "-S", f"{key}={before}", trigger=stop).end()
    assert ended.code == STOPPED_IN_LOOP, ended
    case.finish(place, "-S", f"{key}={after}")


def stale_lock(case: Case, draw: random.Random) -> None:
    """The lock's file of a run that was killed is there, and holds nobody up; nothing is left of it at the end."""
    place = _saved(case)
    assert len(list(progress(case, place).glob("*.lock"))) == 1
    case.finish(place)
    assert list(progress(case, place).iterdir()) == []


def _saved(case: Case) -> Path:
    """A place in which training was killed, with two checkpoints there."""
    place = case.fresh()
    case.start(place, trigger=saving(3, signal.SIGKILL)).end()
    assert len(checkpoints(case, place)) == 2
    return place


TRAINING = (
    killed_inside_a_checkpoints_write,
    truncated,
    bit_flipped,
    all_damaged,
    other_workers,
    stale_lock,
    made_again,
)
