"""Runs that nobody tells the server about, put right: those that died with their worker or their machine, those whose
asker was cancelled, and crashed ones that only wait for others (reproduce, sweep), which are begun again.

Every machine with workers does so, for all machines. Whether a run lives is told by its heartbeats alone.
"""

import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import FlowFilter, FlowRunFilter
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.responses import SetStateStatus
from prefect.client.schemas.sorting import FlowRunSort
from prefect.states import Cancelled, Cancelling, Crashed, Scheduled, State

from flows import heartbeats, processes, server
from flows.heartbeats import Silence

TOP_LEVEL = ("reproduce", "sweep")  # nobody waits for these; the others are run again by who asked for them
ASKED_FOR = ("run-stage", "run-point")
MAX_RUNS = 3  # so often a run is begun at most
WITHIN = timedelta(days=1)  # what ended long ago is past
LOST_S = {
    StateType.RUNNING: 4.0 * heartbeats.EVERY_S,  # three that did not come, and time for a busy server to store one
    StateType.CANCELLING: 4.0 * heartbeats.EVERY_S,
    StateType.PENDING: 600.0,  # taken by a worker that has not begun it: there are no heartbeats yet
}
UNHEARD = timedelta(seconds=60)  # a worker has ended a run that was cancelled half a minute ago
UNFINISHED = (StateType.SCHEDULED, StateType.PENDING, StateType.RUNNING)


def recover(silence: Silence) -> list[str]:
    """Put right what is to be; a line for each. `silence` is kept from call to call, while the server answers."""
    with server.client() as client:
        begun = _runs(client, (*TOP_LEVEL, *ASKED_FOR), LOST_S)
        lasts = _silent(client, begun, silence)
        lines = [_end(client, run) for run in begun if run.state_type and lasts[run.id] > LOST_S[run.state_type]]
        lines += [_cancel_again(client, run) for run in begun if not lasts[run.id]]
        lines += [_end_here(client, run) for run in begun if run.state_type == StateType.CANCELLING]
        crashed = _runs(client, TOP_LEVEL, [StateType.CRASHED], end_time=_lately())
        lines += [_go_on(client, run) for run in crashed if run.run_count < MAX_RUNS and run.deployment_id]
        return [line for line in lines + _cancel_forsaken(client) if line]


def _silent(client: SyncPrefectClient, begun: Sequence[FlowRun], silence: Silence) -> dict[UUID, float]:
    """Run -> the seconds without a sign of it: neither a new state nor a heartbeat."""
    beats = heartbeats.latest(client, [run.id for run in begun])
    return silence.lasts({run.id: (run.state_id, beats.get(run.id)) for run in begun}, time.monotonic())


def _end(client: SyncPrefectClient, run: FlowRun) -> str:
    if run.state_type == StateType.CANCELLING:
        return _set(client, run, Cancelled(message="cancelled when its process was gone"))
    return _set(client, run, Crashed(message="its process is gone: there are no heartbeats of it"))


def _end_here(client: SyncPrefectClient, run: FlowRun) -> str:
    """End a cancelled run of this machine by itself: its worker hears of nothing any more once the server was away."""
    found = processes.of_workers("PREFECT__FLOW_RUN_ID", str(run.id))
    if not found or run.state is None or datetime.now(UTC) - run.state.timestamp < UNHEARD:
        return ""
    line = _set(client, run, Cancelled(message="cancelled by the machine, its worker did not hear of it"))
    for process in found:
        process.kill()  # what it runs is under guard: that saves
    return line


def _cancel_again(client: SyncPrefectClient, run: FlowRun) -> str:
    """One that was cancelled while a worker was about to begin it: Prefect begins it all the same."""
    since = _since_scheduled(client, run)
    if since[-1:] == [StateType.RUNNING] and StateType.CANCELLING in since:
        return _set(client, run, Cancelling(message="cancelled before it began"))
    return ""


def _go_on(client: SyncPrefectClient, run: FlowRun) -> str:
    """Begin a crashed run again; what crashed because it was cancelled is cancelled."""
    if StateType.CANCELLING in _since_scheduled(client, run):
        return _set(client, run, Cancelled(message="cancelled; it ended as crashed"))
    goes_on: State = Scheduled(message=f"crashed; goes on ({run.run_count} of {MAX_RUNS} runs so far)")
    return _set(client, run, goes_on, force=True)


def _since_scheduled(client: SyncPrefectClient, run: FlowRun) -> list[StateType]:
    """Its states since it was last scheduled, oldest first."""
    types = [one.type for one in sorted(client.read_flow_run_states(run.id), key=lambda state: state.timestamp)]
    last = max((n for n, one in enumerate(types) if one == StateType.SCHEDULED), default=0)
    return types[last:]


def _cancel_forsaken(client: SyncPrefectClient) -> list[str]:
    """Cancel what cancelled runs had asked for."""
    askers = _runs(client, TOP_LEVEL, [StateType.CANCELLING])
    askers += _runs(client, TOP_LEVEL, [StateType.CANCELLED], end_time=_lately())
    if not askers:
        return []
    by_them = {"any_": [str(run.id) for run in askers]}
    forsaken = _runs(client, ASKED_FOR, UNFINISHED, parent_flow_run_id=by_them)
    return [_set(client, run, Cancelling(message="what asked for it was cancelled")) for run in forsaken]


def _runs(client: SyncPrefectClient, flows: Iterable[str], states: Iterable[StateType], **more: Any) -> list[FlowRun]:
    """Those of these flows in these states, newest first: 200 at most."""
    wanted = {"state": {"type": {"any_": [state.value for state in states]}}, **more}
    return client.read_flow_runs(
        flow_filter=FlowFilter.model_validate({"name": {"any_": list(flows)}}),
        flow_run_filter=FlowRunFilter.model_validate(wanted),
        sort=FlowRunSort.EXPECTED_START_TIME_DESC,
    )


def _lately() -> dict[str, str]:
    return {"after_": (datetime.now(UTC) - WITHIN).isoformat()}


def _set(client: SyncPrefectClient, run: FlowRun, state: State, force: bool = False) -> str:
    """A line; none where the server keeps the run as it is: it has ended meanwhile."""
    done = client.set_flow_run_state(run.id, state, force)
    return "" if done.status == SetStateStatus.ABORT else f"{run.name}: {state.message}"
