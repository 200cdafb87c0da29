"""The servers with a password, and with Postgres in the place of their own databases: by a variable each."""

import base64
import http.client
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.evaluation.sweeps.made import ALPHA, finish
from tests.flows import toy
from tests.flows.stack import Stack, free_port, until

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

LOGIN = "ann:correct horse battery"
HEADER = {"Authorization": f"Basic {base64.b64encode(LOGIN.encode()).decode()}"}


def status(port: str, path: str, **headers: str) -> int:
    asked = http.client.HTTPConnection("127.0.0.1", int(port), timeout=60)
    asked.request("GET", path, headers=headers)
    return asked.getresponse().status


@contextmanager
def served(folder: Path, **more: str) -> Iterator[Stack]:
    """The toy with its servers, by the user's command; a finished sweep in it."""
    project = toy.make(folder / "toy")
    for alpha in (0.25, 1.0):
        finish(project / "reports" / "sweeps" / "alpha", f"alpha={alpha}", {ALPHA: alpha}, 20 + alpha)
    (project / "reports" / "index.html").write_text("the report")
    found = Stack.of(project, **more)
    try:
        found.flows("ui", "start")
        yield found
    finally:
        found.close()


def record(stack: Stack) -> str:
    """A sweep by MLflow's server; what was said."""
    address = f"http://127.0.0.1:{stack.environment['MLFLOW_PORT']}"
    own = {**stack.environment, "MLFLOW_TRACKING_URI": address, "PYTHONPATH": str(toy.ROOT)}
    code = "import sys; sys.argv[1:] = ['record', '--sweep', 'alpha']; from stages.cli.app import main; main()"
    done = subprocess.run([sys.executable, "-c", code], cwd=stack.project, env=own, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_with_a_login_every_server_asks_for_it_and_every_client_has_it(tmp_path: Path) -> None:
    with served(tmp_path, PLURIFILL_LOGIN=LOGIN) as stack:
        pages = {
            stack.environment["PREFECT_PORT"]: "/api/flow_runs/count",
            stack.environment["MLFLOW_PORT"]: "/ajax-api/2.0/mlflow/experiments/search?max_results=5",
            stack.environment["REPORT_PORT"]: "/index.html",
        }
        assert {status(port, page) for port, page in pages.items()} == {401}
        assert {status(port, page, **HEADER) for port, page in list(pages.items())[1:]} == {200}
        stack.flows("deploy")
        assert "alpha alpha=0.25: recorded" in record(stack)
        stack.flows("ui", "start")  # nobody is asked again who knows it: the servers are found ready


def program(name: str) -> Path:
    """One of Postgres's: Debian keeps those of its server apart."""
    found = shutil.which(name) or next(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), None)
    return Path(found) if found else pytest.skip(f"{name} is not installed")


@contextmanager
def databases() -> Iterator[str]:
    """A server of its own with two empty databases; the address that their names follow."""
    initdb, postgres, psql = map(program, ("initdb", "postgres", "psql"))
    user = "postgres" if os.getuid() == 0 else None  # it refuses to run as root, and reads no folder of root's
    data, port = Path(tempfile.mkdtemp(prefix="plurifill-postgres-")), free_port()
    if user:
        shutil.chown(data, user)
    subprocess.run([initdb, "-A", "trust", "-U", "ann", data], user=user, check=True, cwd=data)
    words = ["-D", data, "-p", port, "-h", "127.0.0.1", "-k", data]
    server = subprocess.Popen([postgres, *words], user=user, cwd=data)
    ask = [psql, "-h", "127.0.0.1", "-p", port, "-U", "ann", "-c"]
    try:
        until(lambda: subprocess.run([*ask, "SELECT 1", "postgres"]).returncode == 0)
        for name in ("prefect", "mlflow"):
            subprocess.run([*ask, f"CREATE DATABASE {name}", "postgres"], check=True)
        yield f"ann@127.0.0.1:{port}"
    finally:
        server.send_signal(signal.SIGINT)  # it ends its clients, too
        server.wait()
        shutil.rmtree(data)


def test_with_postgres_nothing_is_kept_in_the_projects_own_databases(tmp_path: Path) -> None:
    with databases() as address:
        more = {
            "PREFECT_SERVER_DATABASE_CONNECTION_URL": f"postgresql+asyncpg://{address}/prefect",
            "MLFLOW_BACKEND_STORE_URI": f"postgresql://{address}/mlflow",
        }
        with served(tmp_path, **more) as stack:
            stack.flows("deploy")
            assert stack.deployment("sweep/grid")["name"] == "grid"
            assert "alpha alpha=0.25: recorded" in record(stack)
            assert "alpha alpha=1.0: there already" in record(stack)
            assert not (stack.project / "mlflow.db").exists()
            assert not list((stack.project / ".prefect").glob("prefect.db*"))
