"""Stages that divide: so many runs of one, each of a part of its work, then the stage itself, which finds that done.

Parts leave pieces in the clone that they run in, outside of DVC's sight; the result is bit for bit that of one run.
"""

import shlex
from collections.abc import Iterator

from flows import graph
from flows.errors import InvalidRequest

MOST = 64  # ours: so many runs a flow waits for at once; more are a slip of the pen


def check(parts: int, shared: bool, by_workers: bool) -> None:
    """InvalidRequest where a stage cannot be made in so many parts; `shared` with workers of other clones or not."""
    if not 1 <= parts <= MOST:
        raise InvalidRequest(f"parts = {parts}: give in how many parts samples and scores are made, from 1 to {MOST}")
    if parts > 1 and shared:
        why = "parts leave their pieces in one clone, and others share in the work (PLURIFILL_SHARED=1)"
        raise InvalidRequest(f"parts = {parts}: {why}; leave parts out")
    if parts > 1 and not by_workers:
        raise InvalidRequest(f"parts = {parts}: parts are runs of workers; `make workers pipeline PARTS={parts}`")


def read(text: str) -> int:
    """A number of parts as a command gives it. InvalidRequest where it is none."""
    if not text.isdecimal():
        raise InvalidRequest(f"parts = {text!r}: give in how many parts samples and scores are made, from 1 to {MOST}")
    return int(text)


def words(parts: int) -> Iterator[str]:
    """What each part is called: 1/2, 2/2."""
    return (f"{number}/{parts}" for number in range(1, parts + 1))


def named(*words: str) -> str:
    """What a run is called, of a point, of a stage, of a part of it: `alpha=0.25 sample@dsi 1/4`."""
    return " ".join(filter(None, words))


def command(stage: graph.Stage, part: str) -> list[str]:
    """What makes the part. InvalidRequest where the stage does not divide."""
    if not stage.divides:
        raise InvalidRequest(f"dvc.yaml: {stage.name} does not divide; leave part out")
    return [*shlex.split(stage.command), "--part", part]
