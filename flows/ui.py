"""`python -m flows.ui start|stop|run`: Prefect's server, MLflow's and the report's, their databases made ready once.

They listen on 127.0.0.1, or by PLURIFILL_HOST and PLURIFILL_LOGIN elsewhere (access.py); PREFECT_PORT, MLFLOW_PORT and
REPORT_PORT move them. The state of both lies in the project (.prefect/, mlflow.db, mlartifacts/), or where
PREFECT_SERVER_DATABASE_CONNECTION_URL and MLFLOW_BACKEND_STORE_URI say.
"""

import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

from flows import access, locks, report_server, supervisor, tracking
from flows.errors import InvalidRequest
from flows.server import port
from flows.supervisor import Supervised

# on a machine that trains, a write to sqlite may wait for longer than the 5 and 10 s of the defaults
PATIENT = {"PREFECT_SERVER_DATABASE_TIMEOUT": "60", "PREFECT_SERVER_DATABASE_CONNECTION_TIMEOUT": "60"}
PAGES = {"PREFECT_SERVER_UI_API_URL": "/api"}  # the pages ask whoever served them, at whatever port or end of a tunnel
JOBS = "MLFLOW_SERVER_ENABLE_JOB_EXECUTION"  # evaluations of language models, by eight processes; "true" has them


def mlflow_port() -> str:
    """Of MLflow's pages and API."""
    return os.environ.get("MLFLOW_PORT", "5000")


def run() -> None:
    """The servers, in the foreground."""
    supervisor.home().mkdir(parents=True, exist_ok=True)
    supervisor.supervise("ui", [_prefect(), _mlflow(), _report()])


def _prefect() -> Supervised:
    command = ["prefect", "server", "start", "--host", access.host(), "--port", port()]
    own = PATIENT | PAGES | access.prefect_environment()
    return Supervised("prefect", command, own, (port(), "PREFECT_PORT"))


def _mlflow() -> Supervised:
    store = os.environ.get("MLFLOW_BACKEND_STORE_URI") or _own_database()
    options, own = access.mlflow_options(supervisor.home())
    command = ["mlflow", "server", "--backend-store-uri", store, "--artifacts-destination", "mlartifacts", *options]
    command += ["--host", access.host(), "--port", mlflow_port(), "--workers", "1"]
    own[JOBS] = os.environ.get(JOBS, "false")
    return Supervised("mlflow", command, own, (mlflow_port(), "MLFLOW_PORT"))


def _report() -> Supervised:
    command = [sys.executable, "-m", "flows.report_server", access.host(), report_server.port()]
    return Supervised("report", command, port=(report_server.port(), "REPORT_PORT"))


def _own_database() -> str:
    """Of several processes that make MLflow's fresh database at once, all but one fail. Prefect's has one process."""
    store = tracking.address(Path.cwd(), Path.cwd())
    if not Path(tracking.DATABASE).exists():
        with locks.held(Path(f"{tracking.DATABASE}.lock")):  # trainings take the same one
            subprocess.run(["mlflow", "db", "upgrade", store], check=True)
    return store


def ready() -> bool:
    """Whether the servers answer."""
    where = f"http://{access.reached_at()}"
    return _answers(f"{where}:{port()}/api/health") and _answers(f"{where}:{mlflow_port()}/health")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as reply:
            return bool(reply.status == 200)
    except urllib.error.HTTPError as error:
        return error.code == 401  # it asks for the password
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False


if __name__ == "__main__":
    try:
        access.check()
    except InvalidRequest as error:
        print(f"ui: {error}", file=sys.stderr)
        sys.exit(2)
    supervisor.main("ui", run, ready)
