"""A server, a worker, one stage: by the user's commands, but for MLflow's server, which takes longer than all else."""

import pytest

from tests.flows import toy
from tests.flows.stack import Stack

pytestmark = [pytest.mark.smoke, pytest.mark.timeout(600)]


@pytest.fixture
def stack(tmp_path):
    with Stack.served(toy.make(tmp_path / "toy"), PLURIFILL_POOLS="gpu") as found:
        found.flows("workers", "start")
        found.flows("deploy")
        yield found


def test_a_worker_runs_a_stage_that_it_is_asked_for(stack):
    assert stack.wait(stack.run("run-stage/gpu", stage="toy@other")) == "COMPLETED"
    assert [line[:2] for line in stack.log()] == [["learn", "other/-"], ["learnt", "other/-"]]
    assert "toy@other" not in stack.call("dvc", "status")
    [log] = (stack.project / ".prefect" / "runs").iterdir()
    assert log.name.startswith("run-stage-toy@other-") and "work.py learn other" in log.read_text()
