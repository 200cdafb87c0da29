"""MLflow, the only place that knows it: one run a training, from the first step to the last, over all restarts.

Tracking serves training and never stops it: whatever fails here is told once, and training goes on untracked.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from numpy.typing import NDArray
from pydantic import model_validator

from stages.contract import Params
from stages.engine.lock import held
from stages.engine.progress import tell

FLUSH_S = 5.0  # a call to the store costs 50 ms: metrics travel in batches
BATCH = 100  # MLflow takes so many params (and 1000 metrics) in one call
LOCK_S = 300.0  # a fresh database takes 3-10 s to make ready, once


class TrackParams(Params):
    """The `track` block; `track: none` is short for its backend."""

    backend: Literal["mlflow", "none"] = "mlflow"
    experiment: str = "plurifill"  # MLFLOW_EXPERIMENT_NAME goes before it
    system_metrics: bool = True  # processor, memory, GPU, every 10 s

    @model_validator(mode="before")
    @classmethod
    def _short(cls, block: Any) -> Any:
        return {"backend": "none"} if block in ("none", None) else block


@dataclass(frozen=True)
class About:
    """What a run is: its name (method/part), its resolved params, its tags; `folder` remembers its MLflow id."""

    name: str
    params: Mapping[str, Any]
    tags: Mapping[str, str]
    folder: Path


class Tracker:
    """One training's run in MLflow, or nothing at all where tracking is off or has failed."""

    def __init__(self, params: TrackParams, about: About) -> None:
        self.params, self.about = params, about
        self.live = params.backend == "mlflow"
        self._waiting: list[Any] = []
        self._flushed = time.monotonic()
        self._monitor: Any = None
        self._attempt(self._open)

    def log(self, figures: Mapping[str, float], images: int) -> None:
        """Metrics against images seen; sent in batches."""
        self._attempt(lambda: self._log(figures, images))

    def show(self, pictures: Mapping[str, NDArray], images: int) -> None:
        """Sample grids (uint8 H, W, 3) against images seen."""
        self._attempt(lambda: self._show(pictures, images))

    def attach(self, path: Path) -> None:
        """A file of the release."""
        self._attempt(lambda: self._client.log_artifact(self._id, str(path)))

    def flush(self) -> None:
        """Send what waits."""
        self._attempt(self._flush)

    def end(self, status: Literal["FINISHED", "KILLED", "FAILED"]) -> None:
        """Send what waits and close the run; a later process of the same run opens it again."""
        self._attempt(lambda: self._end(status))

    def _attempt(self, action: Callable[[], object]) -> None:
        if not self.live:
            return
        try:
            action()
        except Exception as error:  # a full disk, a server gone, another version: all the same to training
            self.live = False
            tell(f"WARNING: {self.about.name} is not tracked from here on: {type(error).__name__}: {_line(error)}")

    def _open(self) -> None:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")  # its news would break the bar
        uri = os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{Path('mlflow.db').resolve()}"
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or self.params.experiment
        self._client, experiment = _connect(uri, name)
        resumed = self._resume(uri)
        if not resumed:
            self._create(uri, experiment)
        tell(f"{self.about.name}: MLflow run {self._id} of experiment {experiment}")
        if self.params.system_metrics:
            self._watch(uri, resumed)

    def _resume(self, uri: str) -> bool:
        from mlflow.exceptions import MlflowException

        note = self._note()
        if not note.is_file() or (last := json.loads(note.read_text()))["uri"] != uri:
            return False
        try:
            self._client.update_run(last["run"], status="RUNNING")
        except MlflowException:  # deleted since
            return False
        self._id = last["run"]
        return True

    def _create(self, uri: str, experiment: str) -> None:
        from mlflow.entities import Param

        run = self._client.create_run(experiment, run_name=self.about.name, tags=dict(self.about.tags))
        self._id = run.info.run_id
        params = [Param(key, str(value)) for key, value in _flat(self.about.params)]
        for start in range(0, len(params), BATCH):
            self._client.log_batch(self._id, params=params[start : start + BATCH])
        self._note().parent.mkdir(parents=True, exist_ok=True)
        self._note().write_text(json.dumps({"uri": uri, "run": self._id}))

    def _note(self) -> Path:
        return self.about.folder / "mlflow.json"

    def _watch(self, uri: str, resumed: bool) -> None:
        from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

        self._monitor = SystemMetricsMonitor(self._id, resume_logging=resumed, tracking_uri=uri)
        self._monitor.start()

    def _log(self, figures: Mapping[str, float], images: int) -> None:
        from mlflow.entities import Metric

        now = time.time_ns() // 1_000_000
        self._waiting += [Metric(name, value, now, images) for name, value in figures.items()]
        if time.monotonic() - self._flushed > FLUSH_S or len(self._waiting) > BATCH:
            self._flush()

    def _show(self, pictures: Mapping[str, NDArray], images: int) -> None:
        for name, picture in pictures.items():
            self._client.log_image(self._id, picture, key=name, step=images)

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        self._flushed = time.monotonic()
        for start in range(0, len(waiting), BATCH):
            self._client.log_batch(self._id, metrics=waiting[start : start + BATCH])

    def _end(self, status: str) -> None:
        if self._monitor:
            self._monitor.finish()
        self._flush()
        self._client.set_terminated(self._id, status)


def _connect(uri: str, name: str) -> tuple[Any, str]:
    """A client and the experiment's id; a sqlite database is made ready by one process at a time.

    The client makes the database's tables when it is created: of several at once on a fresh one all but one fail.
    """
    from mlflow import MlflowClient

    if not uri.startswith("sqlite:///"):
        client = MlflowClient(uri)
        return client, _found_or_made(client, name, None)
    database = Path(uri.removeprefix("sqlite:///")).resolve()
    with held(Path(f"{database}.lock"), LOCK_S, f"{database}.lock: held by another process for {LOCK_S:.0f} s"):
        client = MlflowClient(uri)
        return client, _found_or_made(client, name, (database.parent / "mlartifacts").as_uri())


def _found_or_made(client: Any, name: str, artifacts: str | None) -> str:
    from mlflow.exceptions import MlflowException

    if (found := client.get_experiment_by_name(name)) is not None:
        return found.experiment_id
    try:
        return client.create_experiment(name, artifact_location=artifacts)
    except MlflowException:  # made by another process meanwhile (on a server there is no lock to hold)
        return client.get_experiment_by_name(name).experiment_id


def _flat(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for key, value in values.items():
        rows += _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else [(f"{prefix}{key}", value)]
    return rows


def _line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [""])[0][:200]
