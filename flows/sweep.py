"""A sweep: points of a grid, each an isolated, resumable experiment; what several of them need is made once, before.

`python -m flows.sweep NAME` runs a sweep of params.yaml in this process; the deployment sends each point to a worker.
"""

import argparse
import sys
from pathlib import Path

from prefect import flow, get_run_logger, runtime, task
from prefect.artifacts import create_table_artifact
from prefect.futures import PrefectFuture, wait
from prefect.states import Failed, State
from prefect.task_runners import ThreadPoolTaskRunner

from flows import (
    commands,
    git,
    graph,
    locks,
    nights,
    reproduce,
    run_log,
    stage,
    subflows,
    sweep_order,
    sweep_point,
    sweep_work,
    worktree,
)
from flows.errors import InvalidRequest
from flows.results import FINISHED, Results
from flows.sweep_order import Job
from flows.sweep_spec import Overrides, SweepRequest, SweepSpec, Value

NAMED = 8  # points that a failed sweep's message names


@flow(task_runner=ThreadPoolTaskRunner(max_workers=64 if commands.in_worker() else 1))  # type: ignore[arg-type]
def sweep(
    name: str,
    grid: dict[str, list[Value]] | None = None,
    points: list[Overrides] | None = None,
    methods: list[str] | None = None,
    seeds: int | None = None,
    anew: bool = False,
    pull: bool = False,
    nightly: bool = False,
) -> list[State] | State:
    """Run every unfinished point; a failed point fails alone. The report then shows what is finished.

    The form in Prefect's pages shows these lines:

    Args:
        name: A sweep of params.yaml; or, with a grid or points, the name of a new one.
        grid: All combinations of values by key, as {"methods.flow_fill.inpaint.temperature": [0.5, 1.0]}.
        points: Single points, as [{"methods.flow_fill.inpaint.temperature": 0.5}].
        methods: Whose completions are scored; none: of those methods that the keys belong to.
        seeds: So many trainings of each point, by the seeds 0, 1, ...; alone, of the methods as they are.
        anew: Make finished points of this name again where values that they read, or code, are others now.
        pull: Bring this clone up to date first, where its branch has only been added to (git pull --ff-only).
        nightly: Keep the scores under this date as well; the report and MLflow show them by night.
    """
    commands.end_with_worker()
    run_log.keep()
    root = Path().resolve()
    if pull:
        _pull(root)
    request = SweepRequest(name, grid, points, methods, seeds)
    spec = request.resolve((root / "params.yaml").read_text(), graph.read())
    results = Results(root, spec.name)
    busy = InvalidRequest(f"the sweep {spec.name} is running already")
    with locks.held(root / worktree.FOLDER / f"{spec.name}.lock", busy):
        head, work = git.clean_head(root), sweep_work.needed(root, spec)
        commit = results.begin(spec, work, head, anew)
        runs = _run(spec, commit, sweep_order.unfinished(root, work, results, commit))
        results.forget_others(spec.points, commit)
        if nightly:
            _keep_night(results, spec, commit)
    create_table_artifact(results.table(spec.points, commit), key="sweep", description=f"The points of {spec.name}")
    reports = _report(root)
    lost = [name for name in spec.points if name in runs and not runs[name].is_completed()]
    return _lost(spec, lost) if lost else [*runs.values(), *reports]


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


def _run(spec: SweepSpec, commit: str, jobs: list[Job]) -> dict[str, State]:
    points = sum(not job.stages for job in jobs)
    get_run_logger().info(f"{spec.name}: {points} of {len(spec.points)} points to make")
    runs: dict[str, PrefectFuture[None]] = {}
    submit = (run_on_worker if runtime.deployment.id else run_locally).submit
    for job in jobs:
        given = {"overrides": spec.points[job.point], "methods": list(spec.methods), "commit": commit}
        given |= {"stages": list(job.stages)}
        after = [runs[other] for other in job.after]
        runs[job.name] = submit(spec.name, job.name, given, wait_for=after, return_state=False)
    with commands.stopped_on_error():
        wait(list(runs.values()))
    return {name: run.state for name, run in runs.items()}


def _report(root: Path) -> list[State]:
    """Make anew what reads the points, where all else that it reads is up to date; else that waits for `reproduce`."""
    known = graph.read(root)
    stale = set(graph.stale(known, root))
    readers = [one.name for one in known.values() if FINISHED in one.reads]
    ready = [name for name in readers if stale.intersection(graph.ancestors(known, [name])) == {name}]
    for name in sorted(stale.intersection(readers) - set(ready)):
        get_run_logger().info(f"{name}: not made anew, since what it needs is stale; the next `dvc repro` does it")
    return list(reproduce.run(known, ready).values())


@task(task_run_name="{name}")
def run_locally(sweep: str, name: str, given: dict[str, object]) -> None:
    """One point in this process."""
    sweep_point.make(sweep, name, **given)  # type: ignore[arg-type]


@task(task_run_name="{name}")
def run_on_worker(sweep: str, name: str, given: dict[str, object]) -> None:
    """One point by a worker; what another machine made is fetched from the DVC remote."""
    subflows.run("run-point/gpu", {"sweep": sweep, "point": name, **given}, f"{sweep}/{name}")
    if given["stages"]:
        return  # in the cache, or the remote, where the points find them
    if not (Results(Path(), sweep).is_finished(name, str(given["commit"])) or stage.is_shared()):
        raise RuntimeError(f"{sweep}/{name} was made in another clone; PLURIFILL_SHARED=1 is missing")
    run_locally.fn(sweep, name, given)


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
        SweepRequest(given.name).resolve(Path("params.yaml").read_text(), graph.read())
    except InvalidRequest as error:
        sys.exit(_refused(error))
    state: State = sweep(given.name, anew=given.anew, nightly=given.nightly, return_state=True)
    if not state.is_completed():
        cause = state.result(raise_on_failure=False)
        sys.exit(_refused(cause) if isinstance(cause, InvalidRequest) else 1)


def _refused(error: InvalidRequest) -> int:
    print(f"sweep: {error}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    main()
