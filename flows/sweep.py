"""A sweep: points of a grid, each an isolated, resumable experiment; points that share training wait for its maker.

`python -m flows.sweep NAME` runs a sweep of params.yaml in this process; the deployment sends each point to a worker.
"""

import argparse
import sys
from pathlib import Path

from prefect import allow_failure, flow, get_run_logger, runtime, task
from prefect.artifacts import create_table_artifact
from prefect.futures import PrefectFuture, wait
from prefect.states import State
from prefect.task_runners import ThreadPoolTaskRunner

from flows import children, commands, graph, locks, point, presence, reproduce, stage, worktree
from flows.points import Asked, Overrides, Sweep, Value, overridden, waits
from flows.refused import Refused
from flows.results import FINISHED, Results


@flow(task_runner=ThreadPoolTaskRunner(max_workers=64 if commands.in_worker() else 1))  # type: ignore[arg-type]
def sweep(
    name: str,
    grid: dict[str, list[Value]] | None = None,
    points: list[Overrides] | None = None,
    methods: list[str] | None = None,
    anew: bool = False,
) -> list[State]:
    """Run every unfinished point; a failed point fails alone. The report then shows what is finished.

    The form in Prefect's pages shows these lines:

    Args:
        name: A sweep of params.yaml; or, with a grid or points, the name of a new one.
        grid: All combinations of values by key, as {"methods.flow_fill.inpaint.temperature": [0.5, 1.0]}.
        points: Single points, as [{"methods.flow_fill.inpaint.temperature": 0.5}].
        methods: Whose completions are scored; none: of those methods that the keys belong to.
        anew: Forget the finished points of this name where they have other values or sources.
    """
    presence.announce()
    root = Path().resolve()
    asked = Asked(name, grid, points, methods)
    plan = asked.resolve((root / "params.yaml").read_text(), graph.read())
    results = Results(root, plan.name)
    busy = Refused(f"the sweep {plan.name} is running already")
    with locks.held(root / worktree.FOLDER / f"{plan.name}.lock", busy):
        commit = results.begin(plan, worktree.clean_head(root), anew)
        states = _run(plan, commit, order(root, plan, results))
    create_table_artifact(results.rows(plan.points), key="sweep", description=f"The points of {plan.name}")
    return [*states, *_report(root)]


def order(root: Path, plan: Sweep, results: Results) -> dict[str, list[str]]:
    """Unfinished point -> those that it waits for, in the order in which they are begun."""
    pipeline, params = (root / "dvc.yaml").read_text(), (root / "params.yaml").read_text()
    here = graph.read(root)
    marks, stale = graph.signatures(here), graph.stale(here, root)
    made = {mark for name, mark in marks.items() if name not in stale}
    needed: dict[str, list[str]] = {}
    for name, overrides in plan.points.items():
        imagined = graph.imagined(pipeline, overridden(params, overrides))
        marks = graph.signatures(imagined)
        needed[name] = [marks[one] for one in graph.ancestors(imagined, plan.targets)]
        if results.done(name):
            made.update(needed.pop(name))
    return waits(needed, made)


def _run(plan: Sweep, commit: str, unfinished: dict[str, list[str]]) -> list[State]:
    get_run_logger().info(f"{plan.name}: {len(unfinished)} of {len(plan.points)} points to make")
    runs: dict[str, PrefectFuture[None]] = {}
    submit = there.submit if runtime.deployment.id else here.submit
    for name, others in unfinished.items():
        after = [allow_failure(runs[other]) for other in others]  # what a failed one has made is there all the same
        given = {"overrides": plan.points[name], "methods": list(plan.methods), "commit": commit}
        runs[name] = submit(plan.name, name, given, wait_for=after, return_state=False)
    with commands.stopping():
        wait(list(runs.values()))
    return [run.state for run in runs.values()]


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
def here(sweep: str, name: str, given: dict[str, object]) -> None:
    """One point in this process."""
    point.make(sweep, name, **given)  # type: ignore[arg-type]


@task(task_run_name="{name}")
def there(sweep: str, name: str, given: dict[str, object]) -> None:
    """One point by a worker; what a worker elsewhere made is fetched from the DVC remote."""
    children.run("run-point/gpu", {"sweep": sweep, "point": name, **given}, f"{sweep}/{name}")
    if not (Results(Path(), sweep).done(name) or stage.shared()):
        raise RuntimeError(f"{sweep}/{name} was made in another clone; PLURIFILL_SHARED=1 is missing")
    here.fn(sweep, name, given)


def main() -> None:
    """Exit code 2 and one line for the user's mistake, 1 where a point failed."""
    parser = argparse.ArgumentParser(prog="python -m flows.sweep", description="Run a sweep of params.yaml here.")
    parser.add_argument("name")
    parser.add_argument("--anew", action="store_true", help="forget finished points of other values or sources")
    given = parser.parse_args()
    commands.end_in_order()
    try:
        Asked(given.name).resolve(Path("params.yaml").read_text(), graph.read())
    except Refused as error:
        sys.exit(_refused(error))
    state: State = sweep(given.name, anew=given.anew, return_state=True)
    if not state.is_completed():
        cause = state.result(raise_on_failure=False)
        sys.exit(_refused(cause) if isinstance(cause, Refused) else 1)


def _refused(error: Refused) -> int:
    print(f"sweep: {error}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    main()
