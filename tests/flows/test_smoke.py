"""A server, a worker, one stage: by the user's commands, but for MLflow's server, which takes longer than all else."""

import subprocess
import urllib.error
import urllib.request

import pytest

from tests.flows import toy
from tests.flows.stack import Stack, until

pytestmark = [pytest.mark.smoke, pytest.mark.timeout(600)]


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as reply:
            return reply.status == 200
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False


@pytest.fixture
def stack(tmp_path):
    found = Stack.of(toy.make(tmp_path / "toy"), PLURIFILL_POOLS="gpu")
    command = ["prefect", "server", "start", "--host", "127.0.0.1", "--port", found.environment["PREFECT_PORT"]]
    with (tmp_path / "server.log").open("w") as log:
        server = subprocess.Popen(command, cwd=found.project, env=found.environment, stdout=log, stderr=log)
    try:
        until(lambda: answers(f"{found.environment['PREFECT_API_URL']}/health"))
        found.flows("workers", "start")
        found.flows("deploy")
        yield found
    finally:
        found.flows("workers", "stop")
        server.terminate()
        server.wait()
        found.close()


def test_a_worker_runs_a_stage_that_it_is_asked_for(stack):
    assert stack.wait(stack.run("run-stage/gpu", stage="toy@other")) == "COMPLETED"
    assert [line[:2] for line in stack.log()] == [["learn", "other/-"], ["learnt", "other/-"]]
    assert "toy@other" not in stack.call("dvc", "status")
