"""A machine joins another one's servers, or is told in one line why it could not share in the work."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flows import toy
from tests.flows.stack import Stack, free_port

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The toy with a DVC remote and Prefect's server; nothing is deployed yet."""
    folder = tmp_path_factory.mktemp("home")
    project = toy.make(folder / "toy")
    subprocess.run(["dvc", "remote", "add", "--default", "between", str(folder / "remote")], cwd=project, check=True)
    toy.commit(project)
    with Stack.served(project, PLURIFILL_SHARED="1") as found:
        yield found


@pytest.fixture
def away(home: Stack, tmp_path: Path) -> Iterator[Stack]:
    """A clone of it on another machine."""
    subprocess.run(["git", "clone", "--quiet", str(home.project), str(tmp_path / "toy")], check=True)
    found = Stack.of(tmp_path / "toy", MLFLOW_TRACKING_URI=f"sqlite:///{tmp_path}/mlflow.db", PLURIFILL_POOLS="cpu")
    yield found
    found.close()


def refused(away: Stack, to: str) -> str:
    """The one line; nothing runs."""
    said = away.call(sys.executable, "-m", "flows.join", to, expect=2)
    assert said.startswith("join: ") and said.count("\n") == 1, said
    assert not (away.project / ".prefect/workers.log").exists()
    return said


def test_in_this_order(home: Stack, away: Stack) -> None:
    assert "make deploy` at home comes first" in refused(away, home.pages)
    home.environment.pop("PLURIFILL_SHARED")
    home.flows("deploy")
    assert "home does not share its work" in refused(away, home.pages)
    home.environment["PLURIFILL_SHARED"] = "1"
    home.flows("deploy")
    address = home.pages.removesuffix(f":{home.environment['PREFECT_PORT']}").removeprefix("http://")
    away.environment["PREFECT_PORT"] = home.environment["PREFECT_PORT"]
    away.flows("join", address)
    worker = away.worker("cpu")
    assert worker.environ()["PREFECT_API_URL"] == home.api and worker.environ()["PLURIFILL_SHARED"] == "1"
    assert "its workers run already" in away.call(sys.executable, "-m", "flows.join", address, expect=2)
    away.flows("workers", "stop")


def test_a_clone_that_could_not_share_is_refused(home: Stack, away: Stack) -> None:
    home.flows("deploy")
    assert "no server at" in refused(away, f"http://127.0.0.1:{free_port()}")
    uri = away.environment.pop("MLFLOW_TRACKING_URI")
    away.environment["MLFLOW_PORT"] = free_port()
    assert f"no MLflow at http://127.0.0.1:{away.environment['MLFLOW_PORT']} (" in refused(away, home.pages)
    away.environment["MLFLOW_TRACKING_URI"] = uri
    toy.commit(away.project)
    assert "git checkout" in refused(away, home.pages)
    away.call("dvc", "remote", "remove", "between")
    assert "no default DVC remote" in refused(away, home.pages)
