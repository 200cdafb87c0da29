"""Runs of deployments, asked for by a flow that waits for them."""

from collections.abc import Mapping
from typing import Any, cast

from prefect import get_run_logger
from prefect.client.schemas import FlowRun
from prefect.deployments import run_deployment

AGAIN = 2  # a run that crashed (its worker was killed, its machine went) is run so many times again
POLL_S = 2


class Failed(Exception):  # noqa: N818 - the child failed, not this
    """A child run did not complete."""


def run(deployment: str, parameters: Mapping[str, Any], name: str) -> None:
    """One run on whatever worker is free, to its end; a crashed one again, from where it had saved."""
    for again in range(AGAIN + 1):
        child = run_deployment(deployment, parameters=dict(parameters), flow_run_name=name, poll_interval=POLL_S)
        state = cast(FlowRun, child).state
        if state is None or not state.is_crashed():
            break
        get_run_logger().warning(f"{name} crashed ({state.message}); {AGAIN - again} more tries")
    if state is None or not state.is_completed():
        raise Failed(f"{name} ended as {state.name if state else 'unknown'}: {state.message if state else ''}")
