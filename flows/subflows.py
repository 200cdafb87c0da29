"""Runs of deployments, asked for by a flow that waits for them."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

from prefect import get_client, get_run_logger
from prefect.client.schemas import FlowRun
from prefect.deployments import run_deployment
from prefect.states import Crashed, State

from flows.errors import SubflowFailed

RETRIES = 2  # a run that crashed (its worker was killed, its machine went) is run so many times again
POLL_S = 2
LOST_AFTER = timedelta(minutes=10)  # taken by a worker that was killed before it could begin


def run(deployment: str, parameters: Mapping[str, Any], name: str) -> None:
    """One run on whatever worker is free, to its end; a crashed one again, from where it had saved.

    SubflowFailed where it does not complete.
    """
    for retry in range(RETRIES + 1):
        subflow = cast(FlowRun, run_deployment(deployment, parameters=dict(parameters), flow_run_name=name, timeout=0))
        state = _final_state(subflow.id)
        if not state.is_crashed():
            break
        get_run_logger().warning(f"{name} crashed ({state.message}); {RETRIES - retry} more tries")
    if not state.is_completed():
        raise SubflowFailed(f"{name} ended as {state.name}: {state.message}")


def _final_state(run: UUID) -> State:
    """The run's last state, once it has it."""
    with get_client(sync_client=True) as client:
        while True:
            state = client.read_flow_run(run).state
            if state and state.is_final():
                return state
            if state and state.is_pending() and datetime.now(UTC) - state.timestamp > LOST_AFTER:
                client.set_flow_run_state(run, Crashed(message="its worker never began it"), force=True)
            time.sleep(POLL_S)
