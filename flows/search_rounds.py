"""A search's points in rounds: those of one are asked for and made together, then what became of them is told."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from prefect.states import State

from flows import sweep_order, sweep_run, sweep_work, worktree
from flows.results import Results
from flows.search_spec import Search
from flows.sweep_spec import SweepSpec


def made(
    spec: SweepSpec, search: Search, results: Results, commit: str, parts: int
) -> tuple[SweepSpec, dict[str, State]]:
    """The sweep with all its points, and what became of those that were not finished, each in so many parts."""
    from flows import study  # here: optuna takes seconds, and other sweeps need none

    trials = study.Study(study.place(results.root / worktree.FOLDER / spec.name, search, commit), search)
    runs: dict[str, State] = {}
    earlier: list[str] = []
    for count in [*range(search.together, search.points, search.together), search.points]:
        points = trials.ask(count)
        todo = [name for name in points if not (name in runs or results.has_ended(name, commit))]
        for name in todo:
            trials.begin(name)
        spec = replace(spec, points=points)
        round_ = replace(spec, points={name: points[name] for name in todo})
        runs |= _round(round_, results, commit, parts, earlier if search.stop else None)
        for name in points:
            if where := results.stopped().get(name):
                trials.give_up(name, where["step"], where["value"])
                continue
            is_finished = results.is_finished(name, commit)
            trials.tell(name, partial(results.score, name, search.goal) if is_finished else None)
        earlier = list(points)
    return spec, runs


def _round(
    spec: SweepSpec, results: Results, commit: str, parts: int, against: Sequence[str] | None
) -> dict[str, State]:
    if not spec.points:
        return {}
    work = sweep_work.needed(results.root, spec)
    jobs = sweep_order.unfinished(results.root, work, results, commit, parts)
    return sweep_run.made(spec, commit, jobs, against)
