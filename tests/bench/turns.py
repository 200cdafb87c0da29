"""Peer and ours in turn: the machine's moods meet both."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

Work = Callable[[], object]


def race(peer: Work, ours: Work, rounds: int, warm_up: int = 1) -> tuple[float, float]:
    """The median seconds of either over `rounds`, after so many rounds that do not count."""
    taken = [(seconds(peer), seconds(ours)) for _ in range(rounds + warm_up)][warm_up:]
    peers, own = zip(*taken, strict=True)
    return median(peers), median(own)


def seconds(work: Work) -> float:
    """What a call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
