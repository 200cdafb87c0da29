"""One worker a GPU; without one, the CPU takes its place, and its workers share the slots."""

import pytest

from flows.workers import POOLS, devices, slots, workers


def pools(found):
    return {one.name: one.command[one.command.index("--pool") + 1] for one in found}


def test_every_gpu_has_one_worker_of_its_own():
    found = workers(["0", "2"], list(POOLS), 1)
    assert pools(found) == {"flows": "flows", "cpu": "cpu", "gpu0": "gpu", "gpu2": "gpu"}
    gpus = [one for one in found if one.name.startswith("gpu")]
    assert [one.env["CUDA_VISIBLE_DEVICES"] for one in gpus] == ["0", "2"]
    assert all(one.command[one.command.index("--limit") + 1] == "1" for one in found if one.name != "flows")
    assert len({one.env["PLURIFILL_SLOT"] for one in found if one.name != "flows"}) == 3


def test_a_gpu_that_runs_share_has_a_worker_and_a_slot_for_each():
    found = workers(["0", "2"], ["gpu"], gpu_slots=2)
    assert [one.env["PLURIFILL_SLOT"] for one in found] == ["gpu0", "gpu0.1", "gpu2", "gpu2.1"]
    assert [one.env["CUDA_VISIBLE_DEVICES"] for one in found] == ["0", "0", "2", "2"]
    assert len({one.name for one in found}) == 4


@pytest.mark.parametrize("text", ["0", "-1", "half", ""])
def test_a_number_of_slots_that_is_none_is_one_line(monkeypatch, capsys, text):
    monkeypatch.setenv("PLURIFILL_GPU_SLOTS", text)
    with pytest.raises(SystemExit) as ended:
        slots("PLURIFILL_GPU_SLOTS")
    assert ended.value.code == 2
    assert (
        capsys.readouterr().err == f"workers: PLURIFILL_GPU_SLOTS={text}: give a number of stages at once, 1 or more\n"
    )


def test_without_a_gpu_the_cpu_has_one_slot_for_both_pools():
    found = workers([], list(POOLS), 1)
    assert pools(found) == {"flows": "flows", "cpu": "cpu", "gpu-on-cpu0": "gpu"}
    assert {one.env["PLURIFILL_SLOT"] for one in found if one.name != "flows"} == {"cpu0"}


def test_the_cpu_has_a_worker_of_its_pool_for_each_slot():
    found = workers([], list(POOLS), 2)
    assert pools(found) == {name: "cpu" for name in ("cpu", "cpu1")} | {
        "flows": "flows", "gpu-on-cpu0": "gpu", "gpu-on-cpu1": "gpu"
    }  # fmt: skip
    own = {one.name: one.env["PLURIFILL_SLOT"] for one in found if one.name != "flows"}
    assert own == {"cpu": "cpu0", "cpu1": "cpu1", "gpu-on-cpu0": "cpu0", "gpu-on-cpu1": "cpu1"}
    assert pools(workers(["0"], list(POOLS), 2)) == {"flows": "flows", "cpu": "cpu", "cpu1": "cpu", "gpu0": "gpu"}


def test_a_further_machine_has_no_worker_that_waits():
    assert set(pools(workers(["0"], ["cpu", "gpu"], 1)).values()) == {"cpu", "gpu"}


@pytest.mark.parametrize(("named", "found"), [("", []), ("1", ["1"]), ("0,3", ["0", "3"])])
def test_the_users_choice_of_gpus_is_kept(monkeypatch, named, found):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", named)
    assert devices() == found
