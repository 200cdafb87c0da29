"""One worker a GPU; without one, the CPU takes its place, and its workers share the slots."""

import pytest

from flows.workers import POOLS, devices, workers


def pools(found):
    return {one.name: one.command[one.command.index("--pool") + 1] for one in found}


def test_every_gpu_has_one_worker_of_its_own():
    found = workers(["0", "2"], list(POOLS), 1)
    assert pools(found) == {"flows": "flows", "cpu": "cpu", "gpu0": "gpu", "gpu2": "gpu"}
    gpus = [one for one in found if one.name.startswith("gpu")]
    assert [one.env["CUDA_VISIBLE_DEVICES"] for one in gpus] == ["0", "2"]
    assert all(one.command[one.command.index("--limit") + 1] == "1" for one in found if one.name != "flows")
    assert len({one.env["PLURIFILL_SLOT"] for one in found if one.name != "flows"}) == 3


def test_without_a_gpu_the_cpu_has_one_slot_for_both_pools():
    found = workers([], list(POOLS), 1)
    assert pools(found) == {"flows": "flows", "cpu": "cpu", "gpu-on-cpu0": "gpu"}
    assert {one.env["PLURIFILL_SLOT"] for one in found if one.name != "flows"} == {"cpu0"}


def test_a_further_machine_has_no_worker_that_waits():
    assert set(pools(workers(["0"], ["cpu", "gpu"], 1)).values()) == {"cpu", "gpu"}


@pytest.mark.parametrize(("named", "found"), [("", []), ("1", ["1"]), ("0,3", ["0", "3"])])
def test_the_users_choice_of_gpus_is_kept(monkeypatch, named, found):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", named)
    assert devices() == found
