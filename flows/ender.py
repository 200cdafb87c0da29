"""Ends something from beside it, once a question is answered by yes."""

from collections.abc import Callable
from threading import Event, Thread
from types import TracebackType

POLL_S = 1.0


class Ender:
    """Inside `with`, a thread asks `question` time and again, until it says yes or fails: then it calls `end`, once.

    What the question fails by is raised where the `with` ends, unless that fails by itself.
    """

    def __init__(self, question: Callable[[], bool], end: Callable[[], None]) -> None:
        self.has_ended = False
        self._question, self._end = question, end
        self._error: Exception | None = None
        self._over = Event()
        self._thread = Thread(target=self._ask, daemon=True)

    def __enter__(self) -> "Ender":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()
        if self._error and error is None:
            raise self._error

    def _ask(self) -> None:
        while not self._over.wait(POLL_S):
            try:
                if not self._question():
                    continue
            except Exception as error:
                self._error = error
            self.has_ended = True
            return self._end()
