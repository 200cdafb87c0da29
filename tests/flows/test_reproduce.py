"""The pipeline by servers and workers: who runs what, failures, cancelling, kills. Real processes on 127.0.0.1."""

import signal
import time

import psutil
import pytest

from tests.flows import toy
from tests.flows.stack import Stack, until

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

STAGES = {
    "toy@train": "gpu", "toy@other": "gpu", "sample@toy": "gpu", "sample@rival": "gpu",
    "benchmark@toy": "cpu", "benchmark@rival": "cpu", "report": "cpu",
}  # fmt: skip


def learning(stack: Stack, key: str) -> list[str]:
    """The line of the log that tells that a part's learning has begun, once it is there."""
    return until(lambda: next((line for line in reversed(stack.log()) if line[:2] == ["learn", key]), None))


def no_slot_was_given_twice(stack: Stack) -> bool:
    """Whether on every slot a training ended before the next one began."""
    using: dict[str, str] = {}
    for verb, _, _, pid, slot, _ in stack.log():
        if verb == "learn":
            if slot != "-" and using.get(slot):
                return False
            using[slot] = pid
        else:
            using[slot] = ""
    return True


def test_every_stage_runs_once_in_the_pool_of_its_kind(stack):
    run = stack.run("reproduce/pipeline")
    assert stack.wait(run) == "COMPLETED"
    assert {one["name"]: one["work_pool_name"] for one in stack.runs("run-stage")} == STAGES
    assert "up to date" in stack.call("dvc", "status")
    assert no_slot_was_given_twice(stack)


def test_a_run_asks_for_no_stage_where_all_are_up_to_date(reproduced):
    before = len(reproduced.runs("run-stage"))
    run = reproduced.run("reproduce/pipeline")
    assert reproduced.wait(run) == "COMPLETED"
    assert len(reproduced.runs("run-stage")) == before
    [table] = reproduced.ask(
        "artifacts/filter", {"artifacts": {"flow_run_id": {"any_": [run]}, "key": {"any_": ["stages"]}}}
    )
    assert all(f'"stage": "{name}", "outcome": "up to date"' in table["data"] for name in STAGES)


def test_a_failed_stage_fails_its_descendants_alone(reproduced):
    toy.edit(reproduced.project, "good: true", "good: false")
    toy.train(reproduced.project, rate=3, steps=20)
    before = len(reproduced.runs("run-stage"))
    run = reproduced.run("reproduce/pipeline")
    state = reproduced.wait(run)
    toy.edit(reproduced.project, "good: false", "good: true")
    assert state == "FAILED"
    ended = {one["name"]: one["state_type"] for one in reproduced.runs("run-stage")[before:]}
    good = {"toy@train": "COMPLETED", "sample@toy": "COMPLETED", "benchmark@toy": "COMPLETED"}
    assert ended == {**good, "sample@rival": "FAILED"}


def test_the_nightly_run_waits_for_its_schedule_to_be_switched_on(stack):
    found = stack.deployment("sweep/benchmark")
    [schedule] = found["schedules"]
    assert not schedule["active"]
    scheduled = {
        "deployments": {"id": {"any_": [found["id"]]}},
        "flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}},
    }
    assert not stack.ask("flow_runs/filter", scheduled)
    switch = f"deployments/{found['id']}/schedules/{schedule['id']}"
    stack.ask(switch, {"active": True}, "PATCH")
    assert until(lambda: stack.ask("flow_runs/filter", scheduled))
    stack.ask(switch, {"active": False}, "PATCH")


def test_a_cancelled_stage_saves_and_the_next_run_goes_on_from_there(stack):
    toy.train(stack.project, rate=4, steps=150)
    run = stack.run("run-stage/gpu", stage="toy@train")
    begun = learning(stack, "train/4")
    time.sleep(1)
    stack.set_state(run, "CANCELLING")
    assert stack.wait(run) == "CANCELLED"
    [saved] = until(lambda: [line for line in stack.log() if line[:2] == ["saved", "train/4"]])
    assert not psutil.pid_exists(int(begun[3]))
    assert stack.wait(stack.run("run-stage/gpu", stage="toy@train")) == "COMPLETED"
    assert [line[2] for line in stack.log() if line[:2] == ["learn", "train/4"]] == ["0", saved[2]]


@pytest.mark.parametrize(
    ("rate", "victim"), [(5, lambda worker: worker), (6, lambda worker: worker.children()[0])], ids=["worker", "flow"]
)
def test_a_killed_worker_or_flow_is_made_good_and_the_run_completes(stack, rate, victim):
    """Kill -9 in the middle of a training: the run goes on, from what was saved, to its end."""
    toy.train(stack.project, rate, steps=150)
    run = stack.run("reproduce/pipeline")
    begun = learning(stack, f"train/{rate}")
    time.sleep(1)
    victim(stack.worker(f"gpu-on-{begun[4]}")).send_signal(signal.SIGKILL)
    [saved] = until(lambda: [line for line in stack.log() if line[:2] == ["saved", f"train/{rate}"]])
    assert stack.wait(run) == "COMPLETED"
    own = [line[:3] for line in stack.log() if line[1] == f"train/{rate}"]
    learn = ["learn", f"train/{rate}"]
    assert own == [[*learn, "0"], saved[:3], [*learn, saved[2]], ["learnt", f"train/{rate}", "150"]]
    assert no_slot_was_given_twice(stack)
    assert "up to date" in stack.call("dvc", "status")
