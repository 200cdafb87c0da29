"""Work on many items at once, for what runs outside of Python's lock: decoding, hashing, resizing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

AHEAD = 16  # items a thread at once: more would lie in memory, done, until their turn comes
Item = TypeVar("Item")
Made = TypeVar("Made")


def in_order(work: Callable[[Item], Made], items: Iterable[Item]) -> Iterator[Made]:
    """What `work` makes of each item, in the items' order, a thread a core; what it raises comes at the item's turn."""
    workers, stream = cores(), iter(items)
    if workers == 1:
        yield from map(work, stream)
        return
    with ThreadPoolExecutor(workers) as pool:
        while some := list(islice(stream, AHEAD * workers)):
            yield from pool.map(work, some)


def cores() -> int:
    """How many this process may use: fewer than there are where it was given some."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
