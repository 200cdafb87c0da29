"""How far a run is that asks for others: how many are made, run and failed, and how long the rest may take."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from prefect.client.schemas.objects import FlowRun

from flows.results import Results


@dataclass
class Progress:
    """Of a sweep with its `points`, or of a pipeline, whose stages are known as it asks for them.

    A point that was finished before is asked for by nobody: its files tell of it. Which points a search has, `searched`
    of them, is known as it asks for them.
    """

    name: str
    points: Collection[str] = ()
    searched: int = 0
    told: str = field(default="", init=False)

    def line(self, runs: Sequence[FlowRun]) -> str:
        """Where it stands, given the runs that it asked for, the newest last; "" where nothing but time has gone on."""
        newest = list({run.name: run for run in runs}.values())  # one that crashed is followed by another of its name
        made, failed = self._made(newest), sum(_is_lost(run) for run in newest)
        running = sum(bool(run.state and run.state.is_running()) for run in newest)
        points = len(self.points) or self.searched
        total = f" of {points} points" if points else ""
        line = f"{self.name}: {len(made)}{total} made, {running} running, {failed} failed"
        if line == self.told or not newest:
            return ""
        self.told = line
        left = _left(newest, points - len(made) - failed, running) if points and running else None
        return line + (f"; about {duration(left)} left" if left else "")

    def _made(self, newest: Iterable[FlowRun]) -> set[str]:
        done = {run.name for run in newest if run.state and run.state.is_completed()}
        results = Results(Path(), self.name)
        if self.searched:
            return {*results.finished(), *results.stopped()}  # a run may be a part of a point
        if not self.points:
            return done
        commit = results.commit
        return {one for one in self.points if f"{self.name}/{one}" in done or results.is_finished(one, commit)}


def duration(time: timedelta) -> str:
    """As `3 min` or `40 s`, rounded up."""
    seconds = int(time.total_seconds()) + 1
    return f"{seconds} s" if seconds < 90 else f"{-(-seconds // 60)} min"


def _is_lost(run: FlowRun) -> bool:
    return bool(run.state and run.state.is_final() and not run.state.is_completed())


def _left(runs: Iterable[FlowRun], points: int, running: int) -> timedelta | None:
    """By the mean of those made, so many at once as run now; None before one is made."""
    took = [run.total_run_time for run in runs if run.state and run.state.is_completed()]
    if not took or points <= 0:
        return None
    return sum(took, timedelta()) / len(took) * points / running
