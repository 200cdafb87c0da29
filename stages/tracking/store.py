"""Where MLflow keeps its runs, and under which experiment: one a purpose."""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from pydantic import model_validator

from stages.contract import Params, UserError
from stages.project.locks import held
from stages.tracking import moved

BATCH = 100  # MLflow takes so many params (and 1000 metrics) in one call
LOCK_S = 300.0  # a fresh database takes 3-10 s to make ready, once
Purpose = Literal["training", "benchmark", "sweeps", "models"]


class TrackParams(Params):
    """The `track` block; `track: none` is short for its backend."""

    backend: Literal["mlflow", "none"] = "mlflow"
    experiment: str = "plurifill"  # <experiment>-<purpose>; MLFLOW_EXPERIMENT_NAME goes before it, for every purpose
    system_metrics: bool = True  # processor, memory, GPU, every 10 s

    @model_validator(mode="before")
    @classmethod
    def _short(cls, block: Any) -> Any:
        return {"backend": "none"} if block in ("none", None) else block


def uri() -> str:
    """MLFLOW_TRACKING_URI; else the project's own database, or, where its server has another, that server.

    An address ends at a `?`: where the project's path has one, the database's is relative.
    """
    _prepare_client()
    database = Path("mlflow.db").resolve()
    own = database.name if "?" in str(database) else str(database)
    local = f"http://127.0.0.1:{os.environ.get('MLFLOW_PORT', '5000')}"
    default = local if os.environ.get("MLFLOW_BACKEND_STORE_URI") else f"sqlite:///{own}"
    return os.environ.get("MLFLOW_TRACKING_URI") or default


def _prepare_client() -> None:
    """What MLflow's client reads; what the user has set stays."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")  # its news would break the bar
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")  # so would its addresses
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")  # by default seven, which take 4 minutes
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")  # seconds
    logging.getLogger("urllib3").setLevel(logging.ERROR)  # it warns at every retry
    name, _, password = os.environ.get("PLURIFILL_LOGIN", "").partition(":")
    if name and password:
        os.environ.setdefault("MLFLOW_TRACKING_USERNAME", name)
        os.environ.setdefault("MLFLOW_TRACKING_PASSWORD", password)


def connect(params: TrackParams, purpose: Purpose) -> tuple[Any, str]:
    """A client and the id of the purpose's experiment; a sqlite database is made ready by one process at a time.

    The client makes the database's tables when it is created: of several at once on a fresh one all but one fail.
    """
    from mlflow import MlflowClient

    name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or f"{params.experiment}-{purpose}"
    if not (where := uri()).startswith("sqlite:///"):
        client = MlflowClient(where)
        return client, _found_or_made(client, name, None)
    database = Path(where.removeprefix("sqlite:///").partition("?")[0]).resolve()
    with held(Path(f"{database}.lock"), LOCK_S, f"{database}.lock: held by another process for {LOCK_S:.0f} s"):
        client = MlflowClient(where)
        moved.follow(database)
        return client, _found_or_made(client, name, moved.address(database))


@contextmanager
def asked() -> Iterator[None]:
    """Where MLflow is what the user asked for, its failures are UserErrors of one line."""
    try:
        from mlflow.exceptions import MlflowException
    except ModuleNotFoundError as error:
        raise UserError("mlflow is not installed: make setup brings it; nothing else needs it") from error
    try:
        yield
    except (MlflowException, OSError, sqlite3.Error) as error:
        raise UserError(f"MLflow at {uri()}: {line(error)}") from error


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested values by dotted key."""
    rows: dict[str, Any] = {}
    for key, value in values.items():
        rows |= flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return rows


def line(error: Exception) -> str:
    """An error's first line, cut to what a line holds."""
    return (str(error).strip().splitlines() or [""])[0][:200]


def log_params(client: Any, run: str, params: Mapping[str, Any]) -> None:
    """All params of a run, in batches."""
    from mlflow.entities import Param

    rows = [Param(key, str(value)) for key, value in params.items()]
    for start in range(0, len(rows), BATCH):
        client.log_batch(run, params=rows[start : start + BATCH])


def log_metrics(client: Any, run: str, metrics: list[Any]) -> None:
    """MLflow's metrics of a run, in batches."""
    for start in range(0, len(metrics), BATCH):
        client.log_batch(run, metrics=metrics[start : start + BATCH])


def trained(client: Any, experiment: str, fingerprint: str) -> str | None:
    """The id of the training run of a released part, by the fingerprint in its config.json; None where none is here."""
    runs = client.search_runs([experiment], f"tags.fingerprint = '{fingerprint}'", max_results=1)
    return runs[0].info.run_id if runs else None


def _found_or_made(client: Any, name: str, artifacts: str | None) -> str:
    from mlflow.exceptions import MlflowException

    if (found := client.get_experiment_by_name(name)) is None:
        try:
            return client.create_experiment(name, artifact_location=artifacts)
        except MlflowException:  # made by another process meanwhile (on a server there is no lock to hold)
            found = client.get_experiment_by_name(name)
    if found.lifecycle_stage == "deleted":
        mend = f"MLFLOW_TRACKING_URI={uri()} mlflow experiments restore -x {found.experiment_id}"
        raise UserError(
            f"MLflow's experiment {name} is deleted; name another (track.experiment), or restore it: {mend}"
        )
    return found.experiment_id
