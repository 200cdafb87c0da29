"""A run that others asked for, told line by line to its end: what becomes of it and of the runs that it asks for."""

import re
import time
from typing import Any
from uuid import UUID

import httpx
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import FlowRunFilter, TaskRunFilter, WorkerFilter
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.exceptions import PrefectHTTPStatusError

from flows import run_log
from flows.progress import Progress

POLL_S = 1.0
SETTLED_S = 10.0  # until the server has heard how the last task of a run ended
WAITING = (StateType.SCHEDULED, StateType.PENDING)
ENDED = re.compile(r"(?:Flow|Task) run encountered an exception:? (?:\w+: )?")  # Prefect's words before ours


class Watch:
    """One run: what has been told of it, and how far it is."""

    def __init__(self, client: SyncPrefectClient, run: UUID, progress: Progress) -> None:
        self.client = client
        self.run = run
        self.progress = progress
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
        for one in others:
            self._tell_state(one)
        if line := self.progress.line(others):
            print(line, flush=True)
        self._tell_state(run)
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
            log = run_log.of(str(one.id))
            self.lost[name] = f"{reason(state)}{f' (log: {log})' if log else ''}"
        print(f"{name}: {state.name}", flush=True)

    def _once(self, line: str) -> None:
        if line != self.told:
            print(line, flush=True)
        self.told = line


def reason(state: Any) -> str:
    """A state's message in one line, without what Prefect says before it."""
    return ENDED.sub("", " ".join(str(state.message or state.name).split()))
