"""Finished results in MLflow: a benchmark's entries, a sweep's points below their parent run.

Recording the same again changes nothing; where a result has changed, its new run takes the place of the old one.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from stages.project.hashing import of_values
from stages.tracking import store
from stages.tracking.comparisons import Comparison, share
from stages.tracking.store import Purpose, TrackParams


@dataclass(frozen=True)
class Result:
    """One run: `identity` (as tags, too) finds it again; metrics are final; `files` become artefacts."""

    name: str
    identity: Mapping[str, str]
    params: Mapping[str, Any]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    seconds: float = 0.0
    files: Sequence[Path] = field(default=())


class Results:
    """One purpose's experiment."""

    def __init__(self, params: TrackParams, purpose: Purpose) -> None:
        self.purpose = purpose
        self._client, self._experiment = store.connect(params, purpose)
        self._training = store.connect(params, "training")[1]

    def keep(self, result: Result, parent: str = "") -> tuple[str, bool]:
        """The result's run, and whether it had to be written."""
        digest = _digest(result, parent)
        found = self._found(result.identity)
        for run in found:
            if run.data.tags.get("content") == digest:
                return run.info.run_id, False
        run_id = self._write(result, parent)
        self._client.set_tag(run_id, "content", digest)  # last: a run without it is a half of one
        for run in found:
            self._client.delete_run(run.info.run_id)
        return run_id, True

    def parent(self, name: str, identity: Mapping[str, str]) -> str:
        """The run above others, the same one every time."""
        found = self._found(identity)
        return found[0].info.run_id if found else self._create(name, identity, {}, 0.0)

    def describe(self, run: str, text: str, tags: Mapping[str, str]) -> None:
        """What a run's page says (markdown) and its tags; the run is over."""
        for key, value in {**tags, "mlflow.note.content": text}.items():
            self._client.set_tag(run, key, value)
        self._client.set_terminated(run, "FINISHED")

    def trained(self, fingerprints: Mapping[str, str]) -> dict[str, str]:
        """Ids of the training runs that are here, by part."""
        found = {
            part: store.trained(self._client, self._training, fingerprint) for part, fingerprint in fingerprints.items()
        }
        return {part: run for part, run in found.items() if run}

    def tag(self, run: str, key: str, value: str) -> None:
        """One more tag of a run that is there."""
        self._client.set_tag(run, key, value)

    def follow(
        self, name: str, identity: Mapping[str, str], parent: str, metrics: Mapping[str, float], at: datetime, step: int
    ) -> None:
        """One more value of every metric, of that time, on the run of this identity: MLflow draws them as curves."""
        from mlflow.entities import Metric

        found = self._found(identity)
        run = found[0].info.run_id if found else self._create(name, identity, {"mlflow.parentRunId": parent}, 0.0)
        time_ms = round(1000 * at.timestamp())
        store.log_metrics(self._client, run, [Metric(key, float(v), time_ms, step) for key, v in metrics.items()])
        self._client.set_terminated(run, "FINISHED")

    def tags(self, run: str) -> dict[str, str]:
        """All tags of a run that is there."""
        return dict(self._client.get_run(run).data.tags)

    def share(self, comparison: Comparison) -> str:
        """The address, below MLflow's own, of the page that draws these runs."""
        return share(self._client, self._experiment, comparison)

    def pages(self) -> str:
        """The address of MLflow's pages: the server's, or what `make ui` serves."""
        where = store.uri()
        return where if where.startswith("http") else f"http://127.0.0.1:{os.environ.get('MLFLOW_PORT', '5000')}"

    def _found(self, identity: Mapping[str, str]) -> list[Any]:
        return list(self._client.search_runs([self._experiment], f"tags.identity = '{self._identity(identity)}'"))

    def _identity(self, identity: Mapping[str, str]) -> str:
        return of_values({"purpose": self.purpose, **identity})

    def _write(self, result: Result, parent: str) -> str:
        from mlflow.entities import Metric

        tags = {**result.tags, **({"mlflow.parentRunId": parent} if parent else {})}
        run_id = self._create(result.name, result.identity, tags, result.seconds)
        store.log_params(self._client, run_id, result.params)
        now = _milliseconds()
        store.log_metrics(self._client, run_id, [Metric(name, float(v), now, 0) for name, v in result.metrics.items()])
        for path in result.files:
            self._client.log_artifact(run_id, str(path))
        self._client.set_terminated(run_id, "FINISHED")
        return run_id

    def _create(self, name: str, identity: Mapping[str, str], tags: Mapping[str, str], seconds: float) -> str:
        told = {**identity, **tags, "purpose": self.purpose, "identity": self._identity(identity)}
        begun = _milliseconds() - round(1000 * seconds)
        run = self._client.create_run(self._experiment, start_time=begun, tags=told, run_name=name)
        return run.info.run_id


def _digest(result: Result, parent: str) -> str:
    """What was measured, of what; not the commit at which it was recorded, nor where it came to lie."""
    tags = {key: value for key, value in result.tags.items() if key not in ("commit", "dvc.lock")}
    told = {key: value for key, value in asdict(result).items() if key not in ("files", "seconds")}
    return of_values({**told, "tags": tags, "parent": parent})


def _milliseconds() -> int:
    return time.time_ns() // 1_000_000
