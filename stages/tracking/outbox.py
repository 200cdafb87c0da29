"""What is to be logged to MLflow, in order, as files until it is: it outlives the process that noted it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages.project.files import write_bytes, write_json
from stages.project.locks import held

ROOM = 256 * 2**20  # bytes that wait at most; a week of figures is a tenth of that, the rest are pictures
RUN = "run.json"


class Full(Exception):  # noqa: N818 - nothing went wrong: what is noted last is left out
    """Too much waits already."""


@dataclass(frozen=True)
class Outbox:
    """One training's entries in `folder`: `<time>.json`, beside it `<time>.bytes` where one has content."""

    folder: Path

    def locked(self, patience_s: float) -> AbstractContextManager[None]:
        """Held by whoever sends; UserError where another process keeps it for longer than that."""
        return held(self.folder.with_suffix(".lock"), patience_s, f"{self.folder}: another process sends it just now")

    def begin(self, run: Mapping[str, Any], since: int) -> None:
        """By whoever holds it: note whose the entries are. A run that goes on has no end from before `since` (ns)."""
        for entry in self.waiting():
            if int(entry.stem.partition("-")[0]) < since and "status" in json.loads(entry.read_text()):
                self.drop(entry)
        known = self.run() if (self.folder / RUN).is_file() else {}
        self.note({**run, **{key: known[key] for key in ("run", "begun") if key in known}})

    def run(self) -> dict[str, Any]:
        """What was noted of the run."""
        return dict(json.loads((self.folder / RUN).read_text()))

    def note(self, run: Mapping[str, Any]) -> None:
        """Note it anew."""
        write_json(self.folder / RUN, dict(run))

    def put(self, entry: Mapping[str, Any], content: bytes = b"") -> None:
        """One entry more. Raises Full, or OSError, where it cannot be kept."""
        text = json.dumps(dict(entry)).encode()
        if self._size() + len(text) + len(content) > ROOM:
            raise Full(f"{ROOM >> 20} MiB wait already")
        path = self.folder / f"{time.time_ns():020}-{os.getpid()}.json"
        if content:
            write_bytes(path.with_suffix(".bytes"), content)
        write_bytes(path, text)

    def waiting(self) -> list[Path]:
        """The entries, oldest first."""
        return sorted(self.folder.glob("[0-9]*.json"))

    def drop(self, entry: Path) -> None:
        """It is logged."""
        entry.unlink()
        entry.with_suffix(".bytes").unlink(missing_ok=True)

    def close(self) -> None:
        """By whoever holds it: all is logged, nothing of it stays."""
        if not self.waiting():
            (self.folder / RUN).unlink(missing_ok=True)
            with suppress(OSError):  # noted just now by a process that waits for the lock
                self.folder.rmdir()
            self.folder.with_suffix(".lock").unlink(missing_ok=True)

    def _size(self) -> int:
        """Bytes that wait."""
        sizes = []
        for path in self.folder.glob("[0-9]*"):
            with suppress(FileNotFoundError):  # logged just now
                sizes.append(path.stat().st_size)
        return sum(sizes)
