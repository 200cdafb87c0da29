"""What a person sees while a part learns: a bar on a terminal, a plain line now and then elsewhere; all on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

LINE_EVERY_S = 10.0  # where stderr is a file, a line this often
SHOWN = 4  # so many losses fit on a line


def tell(message: str) -> None:
    """One line on stderr, above the bar where there is one."""
    sys.stderr.write(f"{message}\n")  # one write: threads tell too
    sys.stderr.flush()


class ProgressBar:
    """Steps done, images a second, time left and the main losses of one run."""

    def __init__(self, name: str, steps: int, start: int, batch: int, shown: bool = True) -> None:
        self.name, self.steps, self.start, self.batch = name, steps, start, batch
        self.shown = shown and start < steps
        self.losses = ""
        self._began = self._told = time.monotonic()
        self._bar = _rich_bar() if self.shown and sys.stderr.isatty() else None

    def __enter__(self) -> ProgressBar:
        if self._bar:
            self._bar.start()
            self._task = self._bar.add_task(self.name, total=self.steps, completed=self.start, speed="", losses="")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

    def speed(self, done: int) -> float:
        """Images a second since this process began."""
        return (done - self.start) * self.batch / max(time.monotonic() - self._began, 1e-9)

    def show(self, done: int, scalars: Mapping[str, float] | None = None) -> None:
        """`done` steps are done; `scalars` where new ones were fetched."""
        if not self.shown:
            return
        if scalars:
            self.losses = "  ".join(f"{name} {value:.4g}" for name, value in list(scalars.items())[:SHOWN])
        if self._bar:
            speed = f"{self.speed(done):.0f} images/s"
            self._bar.update(self._task, completed=done, speed=speed, losses=self.losses)
        elif time.monotonic() - self._told > LINE_EVERY_S or done == self.steps:
            self._told = time.monotonic()
            tell(f"{self.name} {done}/{self.steps}  {self.speed(done):.0f} images/s  {self._left(done)}  {self.losses}")

    def _left(self, done: int) -> str:
        seconds = round((self.steps - done) * self.batch / max(self.speed(done), 1e-9))
        return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02} left"


def _rich_bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[speed]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[losses]}"),
        console=Console(stderr=True),
    )
