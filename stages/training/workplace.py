"""Where one configuration of a part is trained: its folder of state in progress, which one process has at a time."""

from __future__ import annotations

import shutil
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from stages.contract import UserError
from stages.project import locks

PATIENCE_S = 20.0  # for a process that was asked to stop to save its state


@dataclass(frozen=True)
class Workplace:
    """`folder` is named by the configuration's fingerprint, among those of the part's other configurations."""

    title: str
    folder: Path

    @property
    def lock(self) -> Path:
        """Beside the folder, which goes when the part is finished: others may be waiting then."""
        return self.folder.with_suffix(".lock")

    def held(self, waits: bool = True) -> AbstractContextManager[None]:
        """The lock; UserError where another process keeps it, for longer than PATIENCE_S if this one `waits`."""
        busy = f"{self.folder}: another process trains {self.title} in this configuration; wait for it, or stop it"
        return locks.held(self.lock, PATIENCE_S if waits else 0.0, busy)

    def remove(self) -> None:
        """By whoever holds it: the state, where there is any (another process may have trained it), and the lock."""
        if self.folder.exists():
            shutil.rmtree(self.folder)
        self.lock.unlink()

    def remove_others(self) -> None:
        """What the part's other configurations have left goes, but for those that are being trained just now."""
        for name in {path.stem for path in self.folder.parent.iterdir()}:
            other = Workplace(self.title, self.folder.with_name(name))
            try:
                with other.held(waits=False):
                    other.remove()
            except UserError:
                continue
