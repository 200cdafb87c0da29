"""The pipeline as a Prefect flow: DVC decides what is stale, Prefect decides when and where each stage runs.

`python -m flows.reproduce` runs it in this process, without server or worker; the deployments send each stage to the
pool of its kind.
"""

import argparse
import os
import time
from pathlib import Path
from threading import Lock

from prefect import flow, runtime, task
from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact
from prefect.futures import PrefectFuture, wait
from prefect.states import State
from prefect.task_runners import ThreadPoolTaskRunner

from flows import commands, division, graph, locks, report_server, run_log, stage, subflows

# in one process one stage at a time: two trainings on one device fall to a fraction of their speed; workers have limits
LOCK = Path(".dvc/tmp/running/reproduce.lock")  # held while a pipeline runs here
ASKING = Lock()  # threads ask DVC one after the other
AT_ONCE = 64 if commands.in_worker() else int(os.environ.get("PLURIFILL_STAGES_AT_ONCE", "1"))


@flow(task_runner=ThreadPoolTaskRunner(max_workers=AT_ONCE))  # type: ignore[arg-type]
def reproduce(parts: int = 1) -> list[State]:
    """Run what is stale, parents first, independent stages side by side; a failed stage fails its descendants alone.

    The form in Prefect's pages shows this line:

    Args:
        parts: So many runs, by as many workers of this clone as are free, make each method's samples, and its scores.
    """
    commands.end_with_worker()
    run_log.keep()
    division.check(parts, stage.is_shared(), by_workers=bool(runtime.deployment.id))
    with locks.held(LOCK):  # a second run waits, and then finds all up to date
        known = graph.read()
        states = run(known, graph.stale(known), parts)
        publish(known, states)
    return list(states.values())


def run(known: graph.Graph, stale: list[str], parts: int = 1) -> dict[str, State]:
    """These stages, parents first in the list, in the flow that asks: what became of each.

    With `parts`, workers make each that divides in so many.
    """
    submit = (run_on_worker if runtime.deployment.id else run_locally).submit
    sources = stage.sources_digest()
    runs: dict[str, PrefectFuture[float]] = {}
    for name in stale:
        parents = [runs[p] for p in known[name].parents if p in runs]
        own = parts if known[name].divides else 1
        runs[name] = submit(name, known[name].kind, sources, own, wait_for=parents, return_state=False)
    with commands.stopped_on_error():
        wait(list(runs.values()))
    return {name: one.state for name, one in runs.items()}


@task(task_run_name="{name}")
def run_locally(name: str, kind: str, sources: str, parts: int) -> float:
    """One stage in this process's workspace. Seconds."""
    start = time.monotonic()
    stage.run(name, Path())
    return time.monotonic() - start


@task(task_run_name="{name}")
def run_on_worker(name: str, kind: str, sources: str, parts: int) -> float:
    """One stage by a worker of its kind's pool, its parts before it; what another machine made is fetched from the
    DVC remote. Seconds.
    """
    start = time.monotonic()
    if parts > 1 and _would_run(name):
        _make_parts(name, kind, sources, parts)
    subflows.run(f"run-stage/{kind}", {"stage": name, "state": sources}, name)
    if stage.is_shared():
        stage.run(name, Path(), ("--pull",))
    return time.monotonic() - start


def _would_run(name: str) -> bool:
    with ASKING:
        return graph.would_run(name)


def _make_parts(name: str, kind: str, sources: str, parts: int) -> None:
    """All of them to their end; SubflowFailed where one has not completed: the others' pieces stand."""
    runs = [run_part.submit(name, kind, sources, part, return_state=False) for part in division.words(parts)]
    wait(runs)
    for one in runs:
        one.result()


@task(task_run_name="{name} {part}")
def run_part(name: str, kind: str, sources: str, part: str) -> None:
    """One part of a stage by a worker of its kind's pool."""
    given = {"stage": name, "state": sources, "part": part}
    subflows.run(f"run-stage/{kind}", given, division.named(name, part))


def publish(known: graph.Graph, states: dict[str, State]) -> None:
    """What became of every stage, the tables and the report, as artifacts of the run."""
    rows = [{"stage": name, **_outcome(states.get(name))} for name in known]
    create_table_artifact(rows, key="stages", description="What this run did; DVC found the others up to date")
    tables, page = Path("reports/tables.md"), report_server.folder() / report_server.PAGE
    if tables.is_file():
        create_markdown_artifact(tables.read_text(), key="tables", description="Scores of all methods")
    if page.is_file():
        create_link_artifact(report_server.address(), "the report", key="report", description=_words(page))


def _words(page: Path) -> str:
    return f"`make ui` serves it; on this machine it is the file {page.resolve()}"


def _outcome(state: State | None) -> dict[str, str]:
    if state is None:
        return {"outcome": "up to date", "seconds": ""}
    seconds = f"{state.result():.1f}" if state.is_completed() else ""
    return {"outcome": state.name or "", "seconds": seconds}


def main() -> None:
    """The pipeline as it is asked for by a command, which takes no words: none is taken for "go on"."""
    told = "Run what is stale of the pipeline in this process, parents first; params.yaml and dvc.yaml say what."
    argparse.ArgumentParser(prog="python -m flows.reproduce", description=told).parse_args()
    commands.exit_on_sigterm()
    reproduce()


if __name__ == "__main__":
    main()
