"""An outbox's entries into MLflow: the run is found again or made, then each entry is logged and dropped."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from stages.contract import UserError
from stages.project.files import write_json
from stages.tracking import store
from stages.tracking.outbox import RUN, Outbox
from stages.tracking.store import TrackParams


def late(folder: Path) -> Iterator[str]:
    """Log what trainings that have ended left in the outboxes of `folder`; a line for each."""
    for note in sorted(folder.glob(f"*/{RUN}")):
        outbox = Outbox(note.parent)
        run, entries = outbox.run(), len(outbox.waiting())
        if run["uri"] != store.uri():
            yield f"{run['name']}: {entries} entries wait for another MLflow (MLFLOW_TRACKING_URI={run['uri']})"
            continue
        with ExitStack() as held:
            try:
                held.enter_context(outbox.locked(0.0))
            except UserError as error:
                yield f"{run['name']}: {error}"
                continue
            yield f"{run['name']}: {Delivery(outbox).send()} entries logged late"
            outbox.close()


class Delivery:
    """The open MLflow run of an outbox. Whatever MLflow raises is raised, and what was not logged still waits."""

    def __init__(self, outbox: Outbox) -> None:
        self.outbox = outbox
        run = outbox.run()
        self._client, self.experiment = store.connect(TrackParams(experiment=run["experiment"]), "training")
        self.run = self._taken_up(run) or self._made(run)

    def send(self) -> int:
        """Log what waits; how many entries that was."""
        entries = self.outbox.waiting()
        for entry in entries:
            self._log(entry, json.loads(entry.read_text()))
            self.outbox.drop(entry)
        return len(entries)

    def _taken_up(self, run: dict[str, Any]) -> str | None:
        """The id of the run that is there already; None where it was deleted, or is another database's."""
        from mlflow.exceptions import MlflowException

        note = Path(run["note"])
        known = json.loads(note.read_text())["run"] if note.is_file() else run.get("run")
        try:
            if known and self._client.get_run(known).info.lifecycle_stage == "active":
                self._client.update_run(known, status="RUNNING")
                return str(known)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
        return None

    def _made(self, run: dict[str, Any]) -> str:
        parents = {
            f"parent.{name}": store.trained(self._client, self.experiment, fingerprint) or "not tracked here"
            for name, fingerprint in run["parents"].items()
        }
        tags = {**run["tags"], **parents}
        made = self._client.create_run(self.experiment, start_time=run["begun"], run_name=run["name"], tags=tags)
        store.log_params(self._client, made.info.run_id, run["params"])
        self.outbox.note({**run, "run": made.info.run_id})
        if Path(run["note"]).parent.is_dir():  # the training is in progress
            write_json(Path(run["note"]), {"run": made.info.run_id})
        return str(made.info.run_id)

    def _log(self, path: Path, entry: dict[str, Any]) -> None:
        from mlflow.entities import Metric

        content = path.with_suffix(".bytes")
        if "metrics" in entry:
            store.log_metrics(self._client, self.run, [Metric(*one) for one in entry["metrics"]])
        elif "picture" in entry:
            self._picture(content.read_bytes(), entry)
        elif "file" in entry:
            with TemporaryDirectory() as place:
                named = Path(place) / entry["file"]
                named.write_bytes(content.read_bytes())
                self._client.log_artifact(self.run, str(named))
        else:
            self._client.set_terminated(self.run, entry["status"], entry["at"])

    def _picture(self, png: bytes, entry: dict[str, Any]) -> None:
        from PIL import Image

        with Image.open(BytesIO(png)) as picture:
            self._client.log_image(
                self.run, picture, key=entry["picture"], step=entry["images"], timestamp=entry["at"], synchronous=True
            )
