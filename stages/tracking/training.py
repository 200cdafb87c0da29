"""A training in MLflow: one run from the first step to the last, over all restarts.

Tracking serves training and never stops it: whatever fails here is told once, and training goes on untracked.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from numpy.typing import NDArray

from stages.project.files import write_json
from stages.project.progress import tell
from stages.tracking import store
from stages.tracking.store import BATCH, TrackParams

FLUSH_S = 5.0  # a call to the store costs 50 ms: metrics travel in batches


@dataclass(frozen=True)
class About:
    """What a run is: its name (method/part), its resolved params, its tags; `folder` remembers its MLflow id.

    `parents` are the fingerprints of the parts that it reads, by name: their runs are its lineage.
    """

    name: str
    params: Mapping[str, Any]
    tags: Mapping[str, str]
    folder: Path
    parents: Mapping[str, str] = field(default_factory=dict)


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
            tell(f"WARNING: {self.about.name} is not tracked from here on: {type(error).__name__}: {store.line(error)}")

    def _open(self) -> None:
        uri = store.uri()
        self._client, experiment = store.connect(self.params, "training")
        resumed = self._resume()
        if not resumed:
            self._create(experiment)
        tell(f"{self.about.name}: MLflow run {self._id} of experiment {experiment}")
        if self.params.system_metrics:
            self._watch(uri, resumed)

    def _resume(self) -> bool:
        from mlflow.exceptions import MlflowException

        if not self._note().is_file():
            return False
        self._id = json.loads(self._note().read_text())["run"]
        try:
            self._client.update_run(self._id, status="RUNNING")
        except MlflowException:  # deleted since, or of another database: ids are unique over all
            return False
        return True

    def _create(self, experiment: str) -> None:
        run = self._client.create_run(experiment, run_name=self.about.name, tags=self._tags(experiment))
        self._id = run.info.run_id
        store.log_params(self._client, self._id, store.flat(self.about.params))
        write_json(self._note(), {"run": self._id})

    def _tags(self, experiment: str) -> dict[str, str]:
        runs = {
            name: store.trained(self._client, experiment, fingerprint)
            for name, fingerprint in self.about.parents.items()
        }
        return {**self.about.tags, **{f"parent.{name}": run or "not tracked here" for name, run in runs.items()}}

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
        store.log_metrics(self._client, self._id, waiting)

    def _end(self, status: str) -> None:
        if self._monitor:
            self._monitor.finish()
        self._flush()
        self._client.set_terminated(self._id, status)
