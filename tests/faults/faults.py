"""What befalls any command, each a function of (case, a seeded draw): AssertionError where it does not recover."""

from __future__ import annotations

import random
import signal

from tests.faults.cases import Case, halves
from tests.faults.disk import small_disk
from tests.faults.harm import flip
from tests.faults.triggers import Trigger

STOPPED = {128 + signal.SIGTERM, -signal.SIGTERM}  # in training's loop by its leave, elsewhere at once


def killed_at_a_moment(case: Case, draw: random.Random) -> None:
    """SIGKILL after a random time."""
    place = case.fresh()
    case.start(place).kill_after(draw.uniform(0, case.seconds), signal.SIGKILL)
    case.finish(place)


def killed_at_an_operation(case: Case, draw: random.Random) -> None:
    """SIGKILL just before a random operation on a file: between a rename and the next, too."""
    place, at = case.fresh(), draw.randint(1, case.operations)
    ended = case.start(place, trigger=Trigger(at, send=signal.SIGKILL)).end()
    assert ended.code == -signal.SIGKILL, (at, ended)
    case.finish(place)


def killed_again_and_again(case: Case, draw: random.Random) -> None:
    """SIGKILL at three operations, one in each of three runs."""
    place = case.fresh()
    for _ in range(3):
        case.start(place, trigger=Trigger(draw.randint(1, case.operations // 2), send=signal.SIGKILL)).end()
    case.finish(place)


def asked_to_stop(case: Case, draw: random.Random) -> None:
    """SIGTERM just before a random operation: it stops, or ends where it was ending."""
    place, at = case.fresh(), draw.randint(1, case.operations)
    ended = case.start(place, trigger=Trigger(at, send=signal.SIGTERM)).end()
    assert ended.code in STOPPED | {0}, ended
    case.finish(place)


def disk_full(case: Case, draw: random.Random, needed: int = 0) -> None:
    """Too little room on the disk: one line, nothing half-written; with room again it goes on.

    `needed` are the most bytes that it needs at once: what it makes, unless told.
    """
    with small_disk(case.places / "disk", 4 * (needed or case.size) + 2**22) as disk:
        place = case.fresh(disk.folder)
        disk.leave(draw.randint(1, needed or case.size))
        ended = case.start(place).end()
        assert ended.code in {0, 2} and "Traceback" not in ended.said, ended.said
        assert ended.code == 0 or "No space left on device" in ended.lines[-1], ended.said
        assert halves(place) == []
        disk.clear()
        case.finish(place)


def twice_at_once(case: Case, draw: random.Random) -> None:
    """The second run waits, and finds it made."""
    place = case.fresh()
    for ended in [run.end() for run in [case.start(place), case.start(place)]]:
        case.expect(place, ended)


def made_again(case: Case, draw: random.Random) -> None:
    """A file of what was made is gone, then one bit of a file is another: the next run makes it as it was."""
    place = case.fresh()
    case.finish(place)
    draw.choice(case.made(place)).unlink()
    case.finish(place)
    flip(draw.choice(case.made(place)), draw)
    case.finish(place)
