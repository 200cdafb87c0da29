"""Runs of deployments, asked for by a flow that waits for them, also while the server is away."""

import atexit
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast
from uuid import UUID, uuid4

import httpx
from prefect import get_client, get_run_logger, runtime
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas import FlowRun
from prefect.client.schemas.filters import FlowRunFilter
from prefect.deployments import run_deployment
from prefect.exceptions import PrefectHTTPStatusError
from prefect.states import Crashed, State

from flows import commands
from flows.errors import SubflowFailed
from flows.liveness import UNFINISHED

RETRIES = 2  # a run that crashed (its worker was killed, its machine went) is run so many times again
POLL_S = 2.0
PUT_BACK = "PutBack"  # the state of a run whose machine cannot do it
YIELD_S = 60.0  # so long its worker takes nothing: the others look for work every 2 s

Answer = TypeVar("Answer")


def run(deployment: str, parameters: Mapping[str, Any], name: str) -> None:
    """One run on whatever worker is free, to its end; a crashed one again, from where it had saved, and one that a
    machine put back, until another takes it.

    SubflowFailed where it does not complete.
    """
    retries = RETRIES
    with get_client(sync_client=True) as client:
        while (state := _ended(client, _asked(client, deployment, parameters, name))).is_crashed():
            if state.name != PUT_BACK:
                if not retries:
                    break
                retries -= 1
            get_run_logger().warning(f"{name}: {state.name} ({state.message}); asked for again")
    if not state.is_completed():
        raise SubflowFailed(f"{name} ended as {state.name}: {state.message}")


def put_back(why: str) -> State:
    """For a run that this machine cannot do: its last state. Who asked for it asks again, and others take it."""
    get_run_logger().warning(f"left to other machines: {why}")
    atexit.register(time.sleep, YIELD_S)  # its worker is not free before
    return Crashed(name=PUT_BACK, message=why)


def _asked(client: SyncPrefectClient, deployment: str, parameters: Mapping[str, Any], name: str) -> UUID:
    """A new run; or the one that this flow asked for before it was itself begun again, where that has not ended."""
    mine = {
        "parent_flow_run_id": {"any_": [runtime.flow_run.id]},
        "name": {"any_": [name]},
        "state": {"type": {"any_": [state.value for state in UNFINISHED]}},
    }
    found = _answer(lambda: client.read_flow_runs(flow_run_filter=FlowRunFilter.model_validate(mine)))
    going = [run.id for run in found if all(run.parameters.get(key) == value for key, value in parameters.items())]
    return going[0] if going else _new(deployment, parameters, name)


def _new(deployment: str, parameters: Mapping[str, Any], name: str) -> UUID:
    """One run, however often the server has to be asked for it."""
    once = str(uuid4())

    def begin() -> FlowRun:
        asked = run_deployment(deployment, None, dict(parameters), flow_run_name=name, timeout=0, idempotency_key=once)
        return cast(FlowRun, asked)

    return _answer(begin).id


def _ended(client: SyncPrefectClient, run: UUID) -> State:
    """The run's last state, once it has it."""
    while not ((state := _answer(lambda: client.read_flow_run(run).state)) and state.is_final()):
        commands.pause(POLL_S)
    return state


def _answer(question: Callable[[], Answer]) -> Answer:
    """What the server answers: where it is away, once it is back."""
    told = False
    while True:
        try:
            return question()
        except (httpx.TransportError, PrefectHTTPStatusError) as error:
            if isinstance(error, PrefectHTTPStatusError) and error.response.status_code < 500:
                raise
            if not told:
                get_run_logger().warning(f"the server does not answer ({type(error).__name__}); asked until it does")
            told = True
        commands.pause(POLL_S)
