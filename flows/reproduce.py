"""The pipeline as a Prefect flow: DVC decides what is stale, Prefect decides when each stage runs."""

import os
import subprocess

from prefect import flow, get_run_logger, task
from prefect.futures import PrefectFuture, wait
from prefect.states import State
from prefect.task_runners import ThreadPoolTaskRunner

from flows import graph

# a workspace is shared only stage by stage, each waiting for the others' locks
DVC = ("dvc", "--wait-for-lock", "repro", "--single-item")


@task(task_run_name="{stage}")
def run_stage(stage: str) -> None:
    """One stale stage by `dvc repro`; its output goes to the run's log; a failure fails its descendants alone."""
    logger = get_run_logger()
    with subprocess.Popen([*DVC, stage], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        for line in process.stdout or ():
            logger.info(line.rstrip())
    if process.returncode:
        raise RuntimeError(f"dvc repro {stage} ended with exit code {process.returncode}")


# one stage at a time: two trainings on one device fall to a fraction of their speed
AT_ONCE = int(os.environ.get("PLURIFILL_STAGES_AT_ONCE", "1"))


@flow(task_runner=ThreadPoolTaskRunner(max_workers=AT_ONCE))  # type: ignore[arg-type]
def reproduce() -> list[State]:
    """Run what is stale, parents first; a run with nothing stale ends at once."""
    runs: dict[str, PrefectFuture[None]] = {}
    for name in graph.stale():
        parents = [runs[p] for p in graph.stages()[name].parents if p in runs]
        runs[name] = run_stage.submit(name, wait_for=parents, return_state=False)
    wait(list(runs.values()))
    return [run.state for run in runs.values()]


if __name__ == "__main__":
    reproduce()
