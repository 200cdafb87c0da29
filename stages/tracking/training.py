"""A training in MLflow: one run from the first step to the last, over all restarts.

Tracking serves training and never stops it, nor makes it wait: what is to be logged is noted on the disk, and a thread
sends it. What MLflow has not taken at the end stays there, for `plurifill record`.
"""

from __future__ import annotations

import importlib.util
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

from numpy.typing import NDArray
from PIL import Image

from stages.project import paths
from stages.project.progress import tell
from stages.tracking import store
from stages.tracking.machine import Machine
from stages.tracking.outbox import Full, Outbox
from stages.tracking.sender import Sender
from stages.tracking.store import BATCH, TrackParams

NOTE_S = 5.0  # figures are noted in batches, a file each
NOTE_WAITING_S = 60.0  # while they wait for MLflow: fewer files


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
    """One training's run in MLflow, or nothing at all where tracking is off."""

    def __init__(self, params: TrackParams, about: About) -> None:
        self.about = about
        self.live = params.backend == "mlflow" and _is_installed(about.name)
        self._figures: list[tuple[str, float, int, int]] = []
        self._figures_lock = threading.Lock()  # the machine's figures are noted by a thread
        self._noted = time.monotonic()
        self._lost = 0
        if self.live:
            self._begin(params)

    def log(self, figures: Mapping[str, float], images: int) -> None:
        """Metrics against images seen; noted in batches."""
        if self.live:
            self._note(figures, images)
            pause = NOTE_WAITING_S if self._sender.failure else NOTE_S
            if time.monotonic() - self._noted > pause or len(self._figures) > BATCH:
                self.flush()

    def show(self, pictures: Mapping[str, NDArray], images: int) -> None:
        """Sample grids (uint8 H, W, 3) against images seen."""
        for name, picture in pictures.items() if self.live else ():
            png = BytesIO()
            Image.fromarray(picture).save(png, "PNG")
            self._put({"picture": name, "images": images, "at": _milliseconds()}, png.getvalue())

    def attach(self, path: Path) -> None:
        """A file of the release."""
        if self.live:
            self._put({"file": path.name}, path.read_bytes())

    def flush(self) -> None:
        """What was logged so far outlives this process."""
        with self._figures_lock:
            figures, self._figures = self._figures, []
        self._noted = time.monotonic()
        if figures:
            self._put({"metrics": figures})

    def end(self, status: Literal["FINISHED", "KILLED", "FAILED"]) -> None:
        """Close the run, and say what MLflow has not taken; a later process of the same run opens it again."""
        if not self.live:
            return
        if self._machine:
            self._machine.end()
        self.flush()
        self._put({"status": status, "at": _milliseconds()})
        if why := self._sender.finish():
            left = f"{len(self._outbox.waiting())} entries wait in {self._outbox.folder}"
            tell(f"WARNING: {self.about.name}: {left} ({why}); `plurifill record --trainings` logs them")
        if self._lost:
            tell(f"WARNING: {self.about.name}: {self._lost} entries for MLflow were left out")

    def _begin(self, params: TrackParams) -> None:
        self.about.folder.mkdir(parents=True, exist_ok=True)
        now = _milliseconds()
        run = {
            "name": self.about.name,
            "params": {key: str(value) for key, value in store.flat(self.about.params).items()},
            "tags": dict(self.about.tags),
            "parents": dict(self.about.parents),
            "experiment": params.experiment,
            "uri": store.uri(),
            "begun": now,
            "note": str((self.about.folder / "mlflow.json").absolute()),
        }
        name = f"{self.about.name.replace('/', '.')}.{self.about.folder.name}"
        self._outbox = Outbox(paths.unlogged().absolute() / name)
        self._sender = Sender(self._outbox, run)
        self._sender.start()
        self._machine = Machine(self._note, now / 1000) if params.system_metrics else None
        if self._machine:
            self._machine.start()

    def _note(self, figures: Mapping[str, float], step: int) -> None:
        now = _milliseconds()
        with self._figures_lock:
            self._figures += [(name, float(value), now, step) for name, value in figures.items()]

    def _put(self, entry: Mapping[str, Any], content: bytes = b"") -> None:
        """Keep an entry until it is logged; a disk without room keeps none, and training goes on."""
        try:
            self._outbox.put(entry, content)
        except (Full, OSError) as error:
            if not self._lost:
                tell(f"WARNING: {self.about.name}: entries for MLflow are left out from here on: {store.line(error)}")
            self._lost += 1


def _is_installed(name: str) -> bool:
    found = importlib.util.find_spec("mlflow") is not None
    if not found:
        tell(f"WARNING: {name} is not tracked: mlflow is not installed (make setup brings it), nor track: none")
    return found


def _milliseconds() -> int:
    return time.time_ns() // 1_000_000
