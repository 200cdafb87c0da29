"""The pipeline by servers and workers: who runs what, failures, cancelling, kills. Real processes on 127.0.0.1."""

import signal
import time

import psutil
import pytest

from tests.flows import toy
from tests.flows.house import House, until

STAGES = {
    "toy@train": "gpu", "toy@other": "gpu", "sample@toy": "gpu", "sample@rival": "gpu",
    "benchmark@toy": "cpu", "benchmark@rival": "cpu", "report": "cpu",
}  # fmt: skip


def learning(house: House, key: str) -> list[str]:
    """The line of the log that tells that a part's learning has begun, once it is there."""
    return until(lambda: next((line for line in reversed(house.log()) if line[:2] == ["learn", key]), None))


def no_slot_was_given_twice(house: House) -> bool:
    """Whether on every slot a training ended before the next one began."""
    using: dict[str, str] = {}
    for verb, _, _, pid, slot, _ in house.log():
        if verb == "learn":
            if slot != "-" and using.get(slot):
                return False
            using[slot] = pid
        else:
            using[slot] = ""
    return True


def test_every_stage_runs_once_in_the_pool_of_its_kind(house):
    run = house.run("reproduce/pipeline")
    assert house.wait(run) == "COMPLETED"
    assert {one["name"]: one["work_pool_name"] for one in house.runs("run-stage")} == STAGES
    assert "up to date" in house.call("dvc", "status")
    assert no_slot_was_given_twice(house)


def test_a_second_run_asks_for_no_stage(house):
    before = len(house.runs("run-stage"))
    run = house.run("reproduce/pipeline")
    assert house.wait(run) == "COMPLETED"
    assert len(house.runs("run-stage")) == before
    [table] = house.ask(
        "artifacts/filter", {"artifacts": {"flow_run_id": {"any_": [run]}, "key": {"any_": ["stages"]}}}
    )
    assert all(f'"stage": "{name}", "outcome": "up to date"' in table["data"] for name in STAGES)


@pytest.mark.long
def test_a_failed_stage_fails_its_descendants_alone(house):
    toy.edit(house.project, "good: true", "good: false")
    toy.edit(house.project, "rate: 1,", "rate: 3,")
    before = len(house.runs("run-stage"))
    run = house.run("reproduce/pipeline")
    assert house.wait(run) == "FAILED"
    ended = {one["name"]: one["state_type"] for one in house.runs("run-stage")[before:]}
    good = {"toy@train": "COMPLETED", "sample@toy": "COMPLETED", "benchmark@toy": "COMPLETED"}
    assert ended == {**good, "sample@rival": "FAILED"}
    toy.edit(house.project, "good: false", "good: true")


def test_the_nightly_run_waits_for_its_schedule_to_be_switched_on(house):
    found = house.deployment("sweep/benchmark")
    [schedule] = found["schedules"]
    assert not schedule["active"]
    scheduled = {
        "deployments": {"id": {"any_": [found["id"]]}},
        "flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}},
    }
    assert not house.ask("flow_runs/filter", scheduled)
    switch = f"deployments/{found['id']}/schedules/{schedule['id']}"
    house.ask(switch, {"active": True}, "PATCH")
    assert until(lambda: house.ask("flow_runs/filter", scheduled))
    house.ask(switch, {"active": False}, "PATCH")


@pytest.mark.long
def test_a_cancelled_stage_saves_and_the_next_run_goes_on_from_there(house):
    toy.edit(house.project, "rate: 3, steps: 20", "rate: 4, steps: 150")
    run = house.run("run-stage/gpu", stage="toy@train")
    begun = learning(house, "train/4")
    time.sleep(1)
    house.set_state(run, "CANCELLING")
    assert house.wait(run) == "CANCELLED"
    [saved] = until(lambda: [line for line in house.log() if line[:2] == ["saved", "train/4"]])
    assert not psutil.pid_exists(int(begun[3]))
    assert house.wait(house.run("run-stage/gpu", stage="toy@train")) == "COMPLETED"
    assert [line[2] for line in house.log() if line[:2] == ["learn", "train/4"]] == ["0", saved[2]]


@pytest.mark.long
@pytest.mark.parametrize(
    ("rate", "victim"), [(5, lambda worker: worker), (6, lambda worker: worker.children()[0])], ids=["worker", "flow"]
)
def test_a_killed_worker_or_flow_is_made_good_and_the_run_completes(house, rate, victim):
    """Kill -9 in the middle of a training: the run goes on, from what was saved, to its end."""
    toy.edit(house.project, f"rate: {rate - 1}, steps: 150", f"rate: {rate}, steps: 150")
    run = house.run("reproduce/pipeline")
    begun = learning(house, f"train/{rate}")
    time.sleep(1)
    victim(house.worker(f"gpu-on-{begun[4]}")).send_signal(signal.SIGKILL)
    [saved] = until(lambda: [line for line in house.log() if line[:2] == ["saved", f"train/{rate}"]])
    assert house.wait(run) == "COMPLETED"
    own = [line[:3] for line in house.log() if line[1] == f"train/{rate}"]
    learn = ["learn", f"train/{rate}"]
    assert own == [[*learn, "0"], saved[:3], [*learn, saved[2]], ["learnt", f"train/{rate}", "150"]]
    assert no_slot_was_given_twice(house)
    assert "up to date" in house.call("dvc", "status")
