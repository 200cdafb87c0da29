"""`python -m flows.ui start|stop|run`: Prefect's server and MLflow's on 127.0.0.1, their databases made ready once.

PREFECT_PORT and MLFLOW_PORT move them; the state of both lies in the project (.prefect/, mlflow.db, mlartifacts/).
"""

import os
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

from flows import locks, supervisor, tracking
from flows.server import HOST, port
from flows.supervisor import Supervised

# on a machine that trains, a write to sqlite may wait for longer than the 5 and 10 s of the defaults
PATIENT = {"PREFECT_SERVER_DATABASE_TIMEOUT": "60", "PREFECT_SERVER_DATABASE_CONNECTION_TIMEOUT": "60"}
PAGES = {"PREFECT_SERVER_UI_API_URL": "/api"}  # the pages ask whoever served them, at whatever port or end of a tunnel


def mlflow_port() -> str:
    """Of MLflow's pages and API."""
    return os.environ.get("MLFLOW_PORT", "5000")


def run() -> None:
    """Both servers, in the foreground."""
    supervisor.home().mkdir(parents=True, exist_ok=True)
    store = tracking.address(Path.cwd(), Path.cwd())
    _prepare(store)
    prefect = ["prefect", "server", "start", "--host", HOST, "--port", port()]
    mlflow = ["mlflow", "server", "--backend-store-uri", store, "--artifacts-destination", "mlartifacts"]
    mlflow += ["--host", HOST, "--port", mlflow_port(), "--workers", "1"]
    supervisor.supervise("ui", [Supervised("prefect", prefect, PATIENT | PAGES), Supervised("mlflow", mlflow)])


def _prepare(store: str) -> None:
    """Of several processes that make MLflow's fresh database at once, all but one fail. Prefect's has one process."""
    if not Path(tracking.DATABASE).exists():
        with locks.held(Path(f"{tracking.DATABASE}.lock")):  # trainings take the same one
            subprocess.run(["mlflow", "db", "upgrade", store], check=True)


def ready() -> bool:
    """Whether both servers answer."""
    return _answers(f"http://{HOST}:{port()}/api/health") and _answers(f"http://{HOST}:{mlflow_port()}/health")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as reply:
            return bool(reply.status == 200)
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False


if __name__ == "__main__":
    supervisor.main("ui", run, ready)
