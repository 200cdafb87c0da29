"""What of a sweep is made before what: nothing is made twice, and a point waits for no more than it shares.

Stages that several unfinished points need and nobody has made yet are jobs of their own; the points wait for these, and
never for each other. So are, on demand, the parts of a point's stages that divide, and what these parts need.
"""

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from flows import division, graph
from flows.results import Results
from flows.sweep_work import Work


@dataclass(frozen=True)
class Job:
    """One piece of a sweep: a point, or with `stages` these alone, at this point's values; it waits for `after`.

    With `part`, that part of the one stage, in the worktree of another job, which takes over what it leaves.
    """

    name: str
    point: str
    stages: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    part: str = ""
    other: str = ""  # that job

    @property
    def place(self) -> str:
        """The name of its worktree."""
        return self.other or self.name


def unfinished(root: Path, work: Mapping[str, Work], results: Results, commit: str, parts: int = 1) -> list[Job]:
    """The jobs of all points that are not finished at this commit, each behind those that it waits for.

    With `parts`, stages that divide are in so many.
    """
    known = graph.read(root)
    stale = graph.stale(known, root)
    made = {digest for name, digest in graph.digests(known).items() if name not in stale}
    finished = {name for name in work if results.is_finished(name, commit)}
    made.update(digest for name in finished for digest in work[name].digests)
    jobs = plan({name: own.digests for name, own in work.items() if name not in finished}, made)
    return jobs if parts == 1 else in_parts(jobs, work, made, parts)


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


def in_parts(jobs: Collection[Job], work: Mapping[str, Work], made: set[str], parts: int) -> list[Job]:
    """The jobs of `plan`, with each one's stages that divide in so many parts before it."""
    found: list[Job] = []
    for job in jobs:
        others = {stage for other in jobs if other.name in job.after for stage in other.stages}
        needed = {name: digest for digest, name in work[job.point].digests.items() if digest not in made}
        own = {name: needed[name] for name in needed if name in (job.stages or needed.keys() - others)}
        before = _before(job, work[job.point].known, own, parts)
        found += [*before, replace(job, after=(*job.after, *(one.name for one in before)))]
    return found


def _before(job: Job, known: graph.Graph, own: Mapping[str, str], parts: int) -> list[Job]:
    """The parts of the stages that a job makes (`own`: name -> digest) and, before these, what they need of them."""
    found: list[Job] = []
    for level in _levels(known, own):
        after = (*job.after, *(one.name for one in found))
        first = tuple(name for name in graph.ancestors(known, level) if name in own and not known[name].divides)
        if first and not found:
            found = [Job(_name([own[name] for name in first]), job.point, first, after)]
            after = (*after, found[0].name)
        for stage in level:
            words = division.words(parts)
            found += [Job(division.named(job.name, stage, p), job.point, (stage,), after, p, job.name) for p in words]
    return found


def _levels(known: graph.Graph, stages: Collection[str]) -> Iterator[list[str]]:
    """Those that divide, together where none of them needs another."""
    left = [name for name in known if name in stages and known[name].divides]
    while left:
        ready = [name for name in left if not set(left) & set(graph.ancestors(known, known[name].parents))]
        yield ready
        left = [name for name in left if name not in ready]


def _needed_by(points: set[str], names: Mapping[tuple[str, ...], str]) -> tuple[str, ...]:
    """What all of these need and others too: whatever a stage builds on is needed by all that need the stage."""
    return tuple(name for others, name in names.items() if points < set(others))


def _name(digests: list[str]) -> str:
    """A name of what it makes, and no point's: those have a `=`."""
    return f"shared-{hashlib.sha256(' '.join(digests).encode()).hexdigest()[:8]}"
