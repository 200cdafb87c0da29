"""Two ranks of one training (gloo): whatever befalls one of them, both end, at one step, and go on from there."""

from __future__ import annotations

import os
import random
import signal
import socket
import time
from collections.abc import Mapping
from pathlib import Path

from tests.faults.cases import Case, digests, halves
from tests.faults.trainings import STOPPED_IN_LOOP, checkpoints
from tests.faults.verbs import PATIENCE_S, Ended, Verb


def a_rank_asked_to_stop(case: Case, draw: random.Random) -> None:
    """SIGTERM to one of two ranks: both save after the same step, and say so."""
    place, ends = _struck(case, draw, signal.SIGTERM)
    assert [ended.code for ended in ends] in ([STOPPED_IN_LOOP] * 2, [0, 0]), ends
    _finish(case, place)


def a_rank_killed(case: Case, draw: random.Random) -> None:
    """SIGKILL to one of two ranks: the other one ends by itself."""
    place, ends = _struck(case, draw, signal.SIGKILL)
    assert all(ended.code for ended in ends) or not any(ended.code for ended in ends), ends
    _finish(case, place)


def _struck(case: Case, draw: random.Random, signum: int) -> tuple[Path, list[Ended]]:
    """Two ranks, one of which gets the signal once a random checkpoint is there."""
    place, after = case.fresh(), draw.randint(1, 2)
    pair = _start(case, place)
    until = time.monotonic() + PATIENCE_S
    while len(checkpoints(case, place)) < after and pair[0].process.is_alive() and time.monotonic() < until:
        time.sleep(0.005)
    struck = draw.choice(pair)
    if struck.process.is_alive():
        os.kill(struck.process.pid or 0, signum)
    return place, [rank.end() for rank in pair]


def _finish(case: Case, place: Path) -> None:
    """Both go on to the end, which is that of two ranks that nothing befell."""
    ends = [rank.end() for rank in _start(case, place)]
    assert [ended.code for ended in ends] == [0, 0], ends
    found, whole = digests(place, case.command), _undisturbed(case.command.title, case)
    assert found == whole, sorted({name for name, _ in found.items() ^ whole.items()})
    assert halves(place) == []


_results: dict[str, Mapping[str, str]] = {}


def _undisturbed(title: str, case: Case) -> Mapping[str, str]:
    if title not in _results:
        place = case.fresh()
        ends = [rank.end() for rank in _start(case, place)]
        assert [ended.code for ended in ends] == [0, 0], ends
        _results[title] = digests(place, case.command)
    return _results[title]


def _start(case: Case, place: Path) -> list[Verb]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    world = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": "2"}
    return [case.start(place, environment={**world, "RANK": rank, "LOCAL_RANK": rank}) for rank in ("0", "1")]


RANKS = (a_rank_asked_to_stop, a_rank_killed)
