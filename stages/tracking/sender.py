"""The thread that sends a training's outbox to MLflow: whatever MLflow does, the training does not wait for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from stages.project.progress import tell
from stages.tracking import store
from stages.tracking.delivery import Delivery
from stages.tracking.outbox import Outbox

LOOK_S = 1.0  # between looks at the outbox
FIRST_PAUSE_S, LONGEST_PAUSE_S = 2.0, 30.0  # after a failure, doubled at each
END_S = 30.0  # a training that ends waits so long at most for a server that is slow
LAST_S = 5.0  # and so long for one that has not answered


class Sender(threading.Thread):
    """Sends until `finish`; a failure is told once, and what was not sent stays in the outbox."""

    def __init__(self, outbox: Outbox, run: Mapping[str, Any]) -> None:
        super().__init__(name="sender", daemon=True)
        self.outbox, self.title = outbox, str(run["name"])
        self.failure = ""  # why nothing can be logged just now
        self._run, self._since = run, time.time_ns()
        self._delivery: Delivery | None = None
        self._is_held = False
        self._ending = threading.Event()

    def run(self) -> None:
        """The thread's work: now and then, and once more at the end."""
        pause = FIRST_PAUSE_S
        with ExitStack() as held:
            while not (last := self._ending.is_set()):
                self._attempt(held, last)
                pause = min(2 * pause, LONGEST_PAUSE_S) if self.failure else FIRST_PAUSE_S
                self._ending.wait(pause if self.failure else LOOK_S)
            self._attempt(held, last)

    def finish(self) -> str:
        """Send the rest, for some seconds at most; why not all of it is logged, "" where it is."""
        self._ending.set()
        own = str(self._run["uri"]).startswith("sqlite:")  # this process's own work: it takes what it takes, or fails
        patience = LAST_S if self.failure else store.LOCK_S if own else END_S
        self.join(patience)
        return (self.failure or f"it took more than {patience:.0f} s") if self.outbox.waiting() else ""

    def _attempt(self, held: ExitStack, last: bool) -> None:
        try:
            self._open(held)
            assert self._delivery is not None
            self._delivery.send()
        except Exception as error:  # a server that is gone, a database that is locked, a full disk: all the same here
            self._fail(f"{type(error).__name__}: {store.line(error)}")
            return
        self._recover()
        if last:
            self.outbox.close()

    def _open(self, held: ExitStack) -> None:
        if not self._is_held:
            held.enter_context(self.outbox.locked(0.0))
            self._is_held = True
            self.outbox.begin(self._run, self._since)
        if self._delivery is None:
            self._delivery = Delivery(self.outbox)
            tell(f"{self.title}: MLflow run {self._delivery.run} of experiment {self._delivery.experiment}")

    def _fail(self, why: str) -> None:
        if not self.failure and not self._ending.is_set():
            tell(f"{self.title}: MLflow takes nothing just now ({why}); it is logged later, training goes on")
        self.failure = why

    def _recover(self) -> None:
        if self.failure:
            tell(f"{self.title}: MLflow has all that waited for it")
        self.failure = ""
