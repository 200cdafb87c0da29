"""A lock is held by one at a time, whoever removes its file."""

import threading
import time

import pytest

from stages.contract import UserError
from stages.project import locks


def test_a_lock_keeps_the_second_out_and_is_free_afterwards(tmp_path):
    path = tmp_path / "state" / "lock"
    waiting = pytest.raises(UserError, match="busy")
    with locks.held(path, 0, ""), waiting, locks.held(path, 0.2, "busy: wait for it"):
        pass
    with locks.held(path, 0, "busy"):
        pass


def test_a_lock_whose_file_its_holder_removes_is_held_by_one_at_a_time(tmp_path):
    """Whoever waited opened the removed file: it must not believe that it holds the path's next one."""
    path, inside, seen = tmp_path / "lock", [], []

    def work(name):
        for _ in range(5):
            with locks.held(path, 60, "busy"):
                inside.append(name)
                time.sleep(0.001)
                seen.append(list(inside))
                inside.remove(name)
                path.unlink()

    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 20 and all(len(here) == 1 for here in seen)


def test_those_who_share_a_lock_hold_it_together_and_keep_out_who_wants_it_alone(tmp_path):
    path, busy = tmp_path / "lock", pytest.raises(UserError, match="busy")
    with locks.held(path, 0, "", shared=True), locks.held(path, 0, "", shared=True), busy, locks.held(path, 0, "busy"):
        pass
    with locks.held(path, 0, ""), pytest.raises(UserError, match="busy"), locks.held(path, 0, "busy", shared=True):
        pass
