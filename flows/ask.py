"""`python -m flows.ask DEPLOYMENT [--name SWEEP]`: ask the workers for a run, and tell what becomes of it, to its end.

Told are the states of the run and of those that it asks for, a pool that they wait for without a worker, and why what
failed did. Exit code 0 where it completes, 1 where it does not, 2 for the user's mistake.
"""

import argparse
import re
import sys
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import FlowRunFilter, TaskRunFilter, WorkerFilter
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError

from flows import graph, server
from flows.errors import InvalidRequest
from flows.sweep_spec import SweepRequest

POLL_S = 1.0
SETTLED_S = 10.0  # until the server has heard how the last task of a run ended
WAITING = (StateType.SCHEDULED, StateType.PENDING)
ENDED = re.compile(r"(?:Flow|Task) run encountered an exception:? (?:\w+: )?")  # Prefect's words before ours
MISTAKE = f"{InvalidRequest.__name__}: "


class Watch:
    """One run: what has been told of it."""

    def __init__(self, client: SyncPrefectClient, run: UUID) -> None:
        self.client = client
        self.run = run
        self.states: dict[UUID, str] = {}
        self.lost: dict[str, str] = {}  # name -> why the last run of that name did not complete
        self.told = ""

    def to_the_end(self) -> FlowRun:
        """The run, once it has its last state."""
        while True:
            try:
                run = self.client.read_flow_run(self.run)
                self._tell(run)
                if run.state and run.state.is_final():
                    return run
            except (httpx.HTTPError, PrefectHTTPStatusError) as error:
                self._once(f"the server does not answer ({type(error).__name__}); asked again until it does")
            time.sleep(POLL_S)

    def reasons(self) -> list[str]:
        """Why what failed did: of the runs that it asked for, else of its own tasks."""
        found = [f"{name}: {why}" for name, why in self.lost.items()]
        until = time.monotonic() + SETTLED_S
        while not found and time.monotonic() < until:
            time.sleep(POLL_S)
            ended = {"state": {"type": {"any_": ["FAILED", "CRASHED"]}}}
            tasks = self.client.read_task_runs(
                flow_run_filter=FlowRunFilter.model_validate({"id": {"any_": [self.run]}}),
                task_run_filter=TaskRunFilter.model_validate(ended),
            )
            found = [f"{one.name}: {reason(one.state)}" for one in tasks]
        return found

    def _tell(self, run: FlowRun) -> None:
        asked = FlowRunFilter.model_validate({"parent_flow_run_id": {"any_": [self.run]}})
        newest = FlowRunSort.EXPECTED_START_TIME_DESC  # an answer has 200 at most
        others = self.client.read_flow_runs(flow_run_filter=asked, sort=newest)[::-1]
        for one in (run, *others):
            self._tell_state(one)
        waiting = [one.work_pool_name for one in (run, *others) if one.state and one.state.type in WAITING]
        for pool in sorted({str(name) for name in waiting if name}):
            online = WorkerFilter.model_validate({"status": {"any_": ["ONLINE"]}})
            if not self.client.read_workers_for_work_pool(pool, online):
                self._once(f"waits: no worker of the pool {pool} is running; `make workers` starts this machine's")

    def _tell_state(self, one: FlowRun) -> None:
        name, state = "this run" if one.id == self.run else one.name, one.state
        if state is None or state.name == self.states.get(one.id):
            return
        self.states[one.id] = str(state.name)
        self.lost.pop(name, None)  # a run that crashed is followed by another of its name
        if one.id != self.run and state.is_final() and not state.is_completed():
            self.lost[name] = reason(state)
        print(f"{name}: {state.name}", flush=True)

    def _once(self, line: str) -> None:
        if line != self.told:
            print(line, flush=True)
        self.told = line


def reason(state: Any) -> str:
    """A state's message in one line, without what Prefect says before it."""
    return ENDED.sub("", " ".join(str(state.message or state.name).split()))


def begin(client: SyncPrefectClient, deployment: str, parameters: dict[str, Any]) -> FlowRun:
    """A new run. InvalidRequest where there is no such deployment, or where it does not take the parameters."""
    try:
        found = client.read_deployment_by_name(deployment)
        return client.create_flow_run_from_deployment(found.id, parameters=parameters)
    except ObjectNotFound as error:
        raise InvalidRequest(f"no deployment {deployment} at {server.api()}; `make deploy` puts it there") from error
    except PrefectHTTPStatusError as error:
        raise InvalidRequest(f"{deployment}: {server.told(error)}") from error


def ask(deployment: str, parameters: dict[str, Any]) -> int:
    """The exit code, at the run's end."""
    with server.client() as client:
        server.require(client)
        run = begin(client, deployment, parameters)
        page = f"{server.api().removesuffix('/api')}/runs/flow-run/{run.id}"
        print(f"{deployment}: {page}", flush=True)
        try:
            watch = Watch(client, run.id)
            ended = watch.to_the_end()
        except KeyboardInterrupt:
            print(f"the run goes on: {page} can cancel it")
            return 130
        if ended.state and ended.state.is_completed():
            return 0
        print(*watch.reasons(), f"{deployment}: {reason(ended.state)}", sep="\n", file=sys.stderr)
        return 2 if ended.state and MISTAKE in str(ended.state.message) else 1


def main() -> None:
    """`make pipeline` and `make sweep`."""
    parser = argparse.ArgumentParser(prog="python -m flows.ask", description="Ask the workers for a run; tell its end.")
    parser.add_argument("deployment", help="as prefect.yaml has it: reproduce/pipeline, sweep/grid")
    parser.add_argument("--name", help="of a sweep in params.yaml")
    given = parser.parse_args()
    try:
        if given.name is not None:
            SweepRequest(given.name).resolve(Path("params.yaml").read_text(), graph.read())
        sys.exit(ask(given.deployment, {} if given.name is None else {"name": given.name}))
    except InvalidRequest as error:
        print(f"{given.deployment}: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
