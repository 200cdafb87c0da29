"""Pipelines and sweeps that are cancelled, or whose server goes away: what becomes of them and of what they asked for.

Real processes.
"""

import time
from collections.abc import Iterator

import pytest

from tests.flows import toy
from tests.flows.stack import FINAL, Stack, until
from tests.flows.test_reproduce import learning

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

REQUESTS = {
    "reproduce/pipeline": ("train/31", {}),
    "sweep/grid": ("train/32", {"name": "cancelled", "grid": {"methods.toy.train.rate": [32, 33]}}),
}
AWAY_S = 80  # Prefect's own clients give up after 62 s, a fifth more or less


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The toy with workers, two stages at once, and no MLflow."""
    with Stack.served(toy.make(tmp_path_factory.mktemp("served") / "toy"), PLURIFILL_CPU_SLOTS="2") as found:
        found.flows("workers", "start")
        found.flows("deploy")
        yield found


def asked_for(stack: Stack, run: str) -> list[str]:
    """The states of the runs that a run asked for."""
    found = stack.ask("flow_runs/filter", {"flow_runs": {"parent_flow_run_id": {"any_": [run]}}})
    return sorted(one["state_type"] for one in found)


@pytest.mark.parametrize("deployment", REQUESTS)
def test_what_is_cancelled_stays_so_and_what_it_asked_for_too(served: Stack, deployment: str) -> None:
    key, parameters = REQUESTS[deployment]
    toy.train(served.project, rate=31, steps=1200)
    run = served.run(deployment, **parameters)
    learning(served, key)
    served.set_state(run, "CANCELLING")
    assert served.wait(run) == "CANCELLED"
    until(lambda: FINAL.issuperset(asked_for(served, run)))
    ended = asked_for(served, run)
    assert set(ended) - {"COMPLETED"} == {"CANCELLED"}
    until(lambda: [line for line in served.log() if line[:2] == ["saved", key]])
    assert served.wait(served.run("run-stage/cpu", stage="toy@other")) == "COMPLETED"  # meanwhile runs were put right
    history = [one["type"] for one in served.ask(f"flow_run_states/?flow_run_id={run}")]
    assert history[-1] == "CANCELLED" and "SCHEDULED" not in history[history.index("CANCELLING") :]
    assert asked_for(served, run) == ended


def test_a_sweep_outlives_the_server_and_can_be_cancelled_afterwards(served: Stack) -> None:
    run, endless = (
        served.run("sweep/grid", name=name, points=[{"methods.toy.train.rate": rate, "methods.toy.train.steps": steps}])
        for name, rate, steps in (("patient", 51, 1000), ("endless", 52, 100_000))
    )
    for key in ("train/51", "train/52"):
        learning(served, key)
    served.end_server()
    time.sleep(AWAY_S)
    served.serve()
    assert served.wait(run) == "COMPLETED"
    assert served.ask(f"flow_runs/{run}")["run_count"] == 1 and asked_for(served, run) == ["COMPLETED"]
    served.set_state(endless, "CANCELLING")  # its worker lost sight of it when the server went
    assert served.wait(endless) == "CANCELLED"
    until(lambda: asked_for(served, endless) == ["CANCELLED"])
    until(lambda: any(line[:2] == ["saved", "train/52"] for line in served.log()))
    assert [line[:3] for line in served.log() if line[1] == "train/51"][1:] == [["learnt", "train/51", "1000"]]
