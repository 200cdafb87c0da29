"""A sweep's jobs, each in this process or by a worker."""

from collections.abc import Sequence
from pathlib import Path

from prefect import get_run_logger, runtime, task
from prefect.futures import PrefectFuture, wait
from prefect.states import State

from flows import commands, stage, subflows, sweep_point
from flows.results import Results
from flows.sweep_order import Job
from flows.sweep_spec import SweepSpec


def made(spec: SweepSpec, commit: str, jobs: Sequence[Job], against: Sequence[str] | None = None) -> dict[str, State]:
    """The state of every job, by its name, once all have ended; each waits for those that it builds on.

    `against`: the points by whose curves a search may stop these.
    """
    points = sum(not job.stages for job in jobs)
    get_run_logger().info(f"{spec.name}: {points} of {len(spec.points)} points to make")
    runs: dict[str, PrefectFuture[None]] = {}
    submit = (run_on_worker if runtime.deployment.id else run_locally).submit
    for job in jobs:
        given: dict[str, object] = {
            "point": job.place,
            "overrides": spec.points[job.point],
            "methods": list(spec.methods),
        }
        given |= {"commit": commit, "stages": list(job.stages), "part": job.part}
        given |= {"against": None if against is None or job.stages else list(against)}
        after = [runs[other] for other in job.after]
        runs[job.name] = submit(spec.name, job.name, given, wait_for=after, return_state=False)
    with commands.stopped_on_error():
        wait(list(runs.values()))
    return {name: run.state for name, run in runs.items()}


@task(task_run_name="{name}")
def run_locally(sweep: str, name: str, given: dict[str, object]) -> None:
    """One point in this process."""
    sweep_point.make(sweep, **given)  # type: ignore[arg-type]


@task(task_run_name="{name}")
def run_on_worker(sweep: str, name: str, given: dict[str, object]) -> None:
    """One point by a worker; what another machine made is fetched from the DVC remote."""
    subflows.run("run-point/gpu", {"sweep": sweep, **given}, f"{sweep}/{name}")
    if given["stages"]:
        return  # in the cache, or the remote, where the points find them; a part's pieces in the point's worktree
    if not (Results(Path(), sweep).has_ended(name, str(given["commit"])) or stage.is_shared()):
        raise RuntimeError(f"{sweep}/{name} was made in another clone; PLURIFILL_SHARED=1 is missing")
    run_locally.fn(sweep, name, given)
