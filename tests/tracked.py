"""An MLflow database with its tables and no runs: made once a run of the tests, copied where one is needed."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

import pytest

OUTSIDE = ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME", "PLURIFILL_DATA", "PLURIFILL_REPORTS")


@cache
def _empty() -> Path:
    from mlflow import MlflowClient

    folder = Path(tempfile.mkdtemp(prefix="plurifill-mlflow-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    MlflowClient(f"sqlite:///{folder}/mlflow.db")
    return folder / "mlflow.db"


def enter(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in `folder`, with a database of its own and no settings from outside."""
    monkeypatch.chdir(folder)
    for name in OUTSIDE:
        monkeypatch.delenv(name, raising=False)
    if not (folder / "mlflow.db").exists():
        put(folder)


def put(folder: Path) -> None:
    """An empty database in `folder`."""
    folder.mkdir(exist_ok=True)
    shutil.copy(_empty(), folder / "mlflow.db")
