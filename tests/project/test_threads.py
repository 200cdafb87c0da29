"""Work on all cores comes in the items' order, and no further ahead than is needed."""

import os
import threading
from collections.abc import Iterator

import pytest

from stages.project import threads


@pytest.mark.parametrize("cores", [1, 3])
def test_what_is_made_comes_in_order_and_a_fault_at_its_turn(cores, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(cores)), raising=False)
    assert list(threads.in_order(lambda number: number**2, range(200))) == [number**2 for number in range(200)]
    made = threads.in_order(lambda number: 12 // (5 - number), range(200))
    assert [next(made) for _ in range(5)] == [2, 3, 4, 6, 12]
    with pytest.raises(ZeroDivisionError):
        next(made)


def test_threads_work_at_once_and_draw_no_more_items_than_they_need(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1, 2}, raising=False)
    together, drawn = threading.Barrier(3, timeout=20), []

    def items() -> Iterator[int]:
        for number in range(300):
            drawn.append(number)
            yield number

    made = threads.in_order(lambda number: together.wait() if number < 3 else number, items())
    next(made)
    assert len(drawn) == 3 * threads.AHEAD
    made.close()
