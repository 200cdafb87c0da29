"""Which flow runs live on this machine: each holds a lock for as long as its process lives, however that ends.

A worker tells the server when a flow of its own dies. Of one that died with its worker nobody tells: `recover` does,
and gives runs that only wait for others (reproduce, sweep) back to the workers, a bounded number of times.
"""

import atexit
import os
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import FlowFilter, FlowFilterName, FlowRunFilter
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.states import Crashed, Scheduled

from flows import locks, server

FLOWS = ("run-stage", "run-point", "reproduce", "sweep")
TOP_LEVEL = ("reproduce", "sweep")  # nobody waits for these; the others are run again by who asked for them
MAX_RUNS = 3  # so often a run is begun at most
WITHIN = timedelta(days=1)  # a crash of long ago is past

_held = ExitStack()  # until this process ends


def announce() -> None:
    """Called by a flow as it begins: from here on this machine knows whether it lives."""
    if run := os.environ.get("PREFECT__FLOW_RUN_ID"):
        _held.enter_context(locks.held(_lock(run)))
        atexit.register(_lock(run).unlink, missing_ok=True)


def _lock(run: str) -> Path:
    return Path(tempfile.gettempdir()) / f"plurifill-runs-{os.getuid()}" / f"{run}.lock"


def recover() -> list[str]:
    """Mark this machine's dead runs as crashed, and begin crashed `TOP_LEVEL` ones again; a line for each."""
    with server.client() as client:
        running = _runs(client, FLOWS, (StateType.RUNNING, StateType.CANCELLING))
        lines = [_mark_crashed(client, run) for run in running if _is_dead(run)]
        crashed = _runs(client, TOP_LEVEL, (StateType.CRASHED,))
        return lines + [_reschedule(client, run) for run in crashed if _may_run_again(run)]


def _runs(client: SyncPrefectClient, flows: tuple[str, ...], states: tuple[StateType, ...]) -> list[FlowRun]:
    return client.read_flow_runs(
        flow_filter=FlowFilter(name=FlowFilterName(any_=list(flows))),
        flow_run_filter=FlowRunFilter.model_validate({"state": {"type": {"any_": [s.value for s in states]}}}),
    )


def _is_dead(run: FlowRun) -> bool:
    lock = _lock(str(run.id))
    return lock.exists() and not locks.is_held(lock)


def _may_run_again(run: FlowRun) -> bool:
    recent = run.end_time is not None and datetime.now(UTC) - run.end_time < WITHIN
    return recent and run.run_count < MAX_RUNS and run.deployment_id is not None


def _mark_crashed(client: SyncPrefectClient, run: FlowRun) -> str:
    _lock(str(run.id)).unlink(missing_ok=True)
    client.set_flow_run_state(run.id, Crashed(message="its process and its worker were killed"), force=True)
    return f"{run.name}: crashed with its worker"


def _reschedule(client: SyncPrefectClient, run: FlowRun) -> str:
    client.set_flow_run_state(run.id, Scheduled(message="crashed; goes on"), force=True)
    return f"{run.name}: begun again after a crash ({run.run_count} of {MAX_RUNS} runs so far)"
