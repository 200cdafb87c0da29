"""What of a sweep is made before what: nothing is made twice, and a point waits for no more than it shares.

Stages that several unfinished points need and nobody has made yet are jobs of their own; the points wait for these, and
never for each other.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from flows import graph
from flows.results import Results
from flows.sweep_work import Work


@dataclass(frozen=True)
class Job:
    """One piece of a sweep: a point, or with `stages` these alone, at this point's values; it waits for `after`."""

    name: str
    point: str
    stages: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


def unfinished(root: Path, work: Mapping[str, Work], results: Results, commit: str) -> list[Job]:
    """The jobs of all points that are not finished at this commit, each behind those that it waits for."""
    known = graph.read(root)
    stale = graph.stale(known, root)
    made = {digest for name, digest in graph.digests(known).items() if name not in stale}
    finished = {name for name in work if results.is_finished(name, commit)}
    made.update(digest for name in finished for digest in work[name].digests)
    return plan({name: own.digests for name, own in work.items() if name not in finished}, made)


def plan(needs: Mapping[str, Mapping[str, str]], made: set[str]) -> list[Job]:
    """`needs`: point -> its stages by the digests of their work (see graph.digests); `made`: what is there already."""
    users: dict[str, list[str]] = {}
    for point, stages in needs.items():
        for digest in stages:
            users.setdefault(digest, []).append(point)
    shared: dict[tuple[str, ...], list[str]] = {}  # the points that need them -> digests
    for digest, points in users.items():
        if len(points) > 1 and digest not in made:
            shared.setdefault(tuple(points), []).append(digest)
    names = {points: _name(shared[points]) for points in sorted(shared, key=len, reverse=True)}
    jobs = [
        Job(name, points[0], tuple(needs[points[0]][one] for one in shared[points]), _needed_by(set(points), names))
        for points, name in names.items()
    ]
    return [*jobs, *(Job(point, point, after=_needed_by({point}, names)) for point in needs)]


def _needed_by(points: set[str], names: Mapping[tuple[str, ...], str]) -> tuple[str, ...]:
    """What all of these need and others too: whatever a stage builds on is needed by all that need the stage."""
    return tuple(name for others, name in names.items() if points < set(others))


def _name(digests: list[str]) -> str:
    """A name of what it makes, and no point's: those have a `=`."""
    return f"shared-{hashlib.sha256(' '.join(digests).encode()).hexdigest()[:8]}"
