"""State in progress: written whole or not at all, verified before it is used, the last two kept.

A file's name carries its step and the first digits of its sha256, so one rename publishes both content and checksum.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch

from stages.project.files import naming, sync
from stages.project.hashing import SHOWN, of_file
from stages.project.progress import tell

KEPT = 2  # the newest and one to fall back to


class Checkpoints:
    """The checkpoints of one configuration, in one folder: `step-<steps done>-<checksum>.pt`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def save(self, step: int, state: dict[str, Any]) -> None:
        """Publish the state after `step` steps; older ones but the last go. Atomic: temp, fsync, rename."""
        part = self.folder / f".part-{os.getpid()}"
        try:
            with naming(part):
                _write(part, state)
            part.rename(self.folder / f"step-{step:09}-{of_file(part)[:SHOWN]}.pt")  # known when it is written
        finally:
            part.unlink(missing_ok=True)
        sync(self.folder)
        for old in self._newest_first()[KEPT:]:
            old.unlink()

    def newest(self) -> dict[str, Any] | None:
        """The newest state that is whole, on the CPU; a damaged one is told and passed over. None: start anew."""
        for abandoned in self.folder.glob(".part-*"):
            abandoned.unlink()
        for path in self._newest_first():
            if (state := _read(path)) is not None:
                return state
            tell(f"WARNING: {path} is damaged; falling back to the checkpoint before it, or to the start")
            path.unlink()
        return None

    def _newest_first(self) -> list[Path]:
        return sorted(
            self.folder.glob("step-*.pt"), key=lambda path: (path.name[:14], path.stat().st_mtime_ns), reverse=True
        )


def _write(path: Path, state: dict[str, Any]) -> None:
    try:
        with path.open("wb") as file:
            torch.save(state, file)
    except RuntimeError as error:  # what torch meets when it ends the file after a write that failed: that is the cause
        if isinstance(error.__context__, OSError):
            raise error.__context__ from None
        raise
    sync(path)


def _read(path: Path) -> dict[str, Any] | None:
    if of_file(path)[:SHOWN] != path.stem.rpartition("-")[2]:
        return None
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except MemoryError:  # the machine's fault and not the file's, which would be removed
        raise
    except Exception:  # torch raises whatever it meets in a file that it has not written
        return None
    return state if isinstance(state, dict) and "step" in state else None
