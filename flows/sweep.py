"""A sweep: points of a grid, each an isolated, resumable experiment; what several of them need is made once, before.

`python -m flows.sweep NAME` runs a sweep of params.yaml in this process; the deployment sends each point to a worker.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger, runtime
from prefect.artifacts import create_table_artifact
from prefect.states import Failed, State
from prefect.task_runners import ThreadPoolTaskRunner

from flows import (
    commands,
    division,
    early_stop,
    git,
    graph,
    locks,
    nights,
    reproduce,
    run_log,
    search_outcome,
    search_rounds,
    stage,
    sweep_order,
    sweep_point,
    sweep_run,
    sweep_work,
    worktree,
)
from flows.errors import InvalidRequest
from flows.results import FINISHED, Results
from flows.sweep_spec import Overrides, SweepRequest, SweepSpec, Value

NAMED = 8  # points that a failed sweep's message names


@flow(task_runner=ThreadPoolTaskRunner(max_workers=64 if commands.in_worker() else 1))  # type: ignore[arg-type]
def sweep(
    name: str,
    grid: dict[str, list[Value]] | None = None,
    points: list[Overrides] | None = None,
    search: dict[str, Any] | None = None,
    methods: list[str] | None = None,
    seeds: int | None = None,
    anew: bool = False,
    pull: bool = False,
    nightly: bool = False,
    parts: int = 1,
) -> list[State] | State:
    """Run every unfinished point; a failed point fails alone. The report then shows what is finished.

    The form in Prefect's pages shows these lines:

    Args:
        name: A sweep of params.yaml; or, with a grid, points or a search, the name of a new one.
        grid: All combinations of values by key, as {"methods.flow_fill.inpaint.temperature": [0.5, 1.0]}.
        points: Single points, as [{"methods.flow_fill.inpaint.temperature": 0.5}].
        search: Points that are drawn from a space, written as a block `search` of params.yaml is (README, "A search").
        methods: Whose completions are scored; none: of those methods that the keys belong to.
        seeds: So many trainings of each point, by the seeds 0, 1, ...; alone, of the methods as they are.
        anew: Make finished points of this name again where values that they read, or code, are others now.
        pull: Bring this clone up to date first, where its branch has only been added to (git pull --ff-only).
        nightly: Keep the scores under this date as well; the report and MLflow show them by night.
        parts: So many runs, by as many workers of this clone as are free, make a point's samples, and its scores.
    """
    commands.end_with_worker()
    run_log.keep()
    division.check(parts, stage.is_shared(), by_workers=bool(runtime.deployment.id))
    root = Path().resolve()
    if pull:
        _pull(root)
    request = SweepRequest(name, grid, points, methods, seeds, search)
    spec = request.resolve((root / "params.yaml").read_text(), graph.read())
    results = Results(root, spec.name)
    busy = InvalidRequest(f"the sweep {spec.name} is running already")
    with locks.held(root / worktree.FOLDER / f"{spec.name}.lock", busy):
        spec, commit, runs = _made(spec, results, anew, parts)
        results.forget_others(spec.points, commit)
        if nightly:
            _keep_night(results, spec, commit)
    about = " ".join([f"The points of {spec.name}.", *search_outcome.told(spec.search, results)])
    create_table_artifact(results.table(spec.points, commit), key="sweep", description=about)
    reports = _report(root)
    lost = [name for name in spec.points if name in runs and not runs[name].is_completed()]
    return _lost(spec, lost) if lost else [*runs.values(), *reports]


def _made(spec: SweepSpec, results: Results, anew: bool, parts: int) -> tuple[SweepSpec, str, dict[str, State]]:
    """The sweep with all its points, the commit that they are of, and what became of those that were not finished."""
    root = results.root
    head, work = git.clean_head(root), sweep_work.needed(root, spec)
    early_stop.check(spec, work, parts, stage.is_shared())
    commit = results.begin(spec, work, head, anew)
    if spec.search:
        spec, runs = search_rounds.made(spec, spec.search, results, commit, parts)
        return spec, commit, runs
    jobs = sweep_order.unfinished(root, work, results, commit, parts)
    return spec, commit, sweep_run.made(spec, commit, jobs)


def _lost(spec: SweepSpec, names: list[str]) -> State:
    """What failed by itself says why; what only waited for it is named here."""
    named = ", ".join(names[:NAMED]) + (", ..." if len(names) > NAMED else "")
    return Failed(message=f"{spec.name}: {len(names)} of {len(spec.points)} points are not made: {named}")


def _pull(root: Path) -> None:
    with locks.held(root / reproduce.LOCK):  # a pipeline's stages read the files that this changes
        git.fast_forward(root)


def _keep_night(results: Results, spec: SweepSpec, commit: str) -> None:
    if night := nights.keep(results, spec.points, commit):
        get_run_logger().info(f"{spec.name}: kept as {night.relative_to(results.root)}")
        sweep_point.record(results.root, spec.name)
    else:
        get_run_logger().warning(f"{spec.name}: no point is finished, so that this night has no scores")


def _report(root: Path) -> list[State]:
    """Make anew what reads the points, where all else that it reads is up to date; else that waits for `reproduce`."""
    known = graph.read(root)
    stale = set(graph.stale(known, root))
    readers = [one.name for one in known.values() if FINISHED in one.reads]
    ready = [name for name in readers if stale.intersection(graph.ancestors(known, [name])) == {name}]
    for name in sorted(stale.intersection(readers) - set(ready)):
        get_run_logger().info(f"{name}: not made anew, since what it needs is stale; the next `dvc repro` does it")
    return list(reproduce.run(known, ready).values())


def main() -> None:
    """Exit code 2 and one line for the user's mistake, 1 where a point failed."""
    parser = argparse.ArgumentParser(
        prog="python -m flows.sweep", description="Run a sweep of params.yaml in this process."
    )
    parser.add_argument("name")
    parser.add_argument("--anew", action="store_true", help="make finished points of other values or code again")
    parser.add_argument("--nightly", action="store_true", help="keep the scores under this date as well")
    given = parser.parse_args()
    commands.exit_on_sigterm()
    try:
        spec = SweepRequest(given.name).resolve(Path("params.yaml").read_text(), graph.read())
    except InvalidRequest as error:
        sys.exit(_refused(error))
    state: State = sweep(given.name, anew=given.anew, nightly=given.nightly, return_state=True)
    cause = None if state.is_completed() else state.result(raise_on_failure=False)
    if isinstance(cause, InvalidRequest):
        sys.exit(_refused(cause))
    for line in search_outcome.told(spec.search, Results(Path(), spec.name)):
        print(line)
    sys.exit(0 if state.is_completed() else 1)


def _refused(error: InvalidRequest) -> int:
    print(f"sweep: {error}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    main()
