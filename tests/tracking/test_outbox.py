"""What waits for MLflow: in order, whole, until it is dropped; never more than there is room for."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from stages.contract import UserError
from stages.tracking import outbox
from stages.tracking.outbox import Full, Outbox

RUN = {"name": "toys/toy", "begun": 1, "uri": "here"}


@pytest.fixture
def box(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path / "unlogged" / "toys.toy.f00d")


def told(box: Outbox) -> list[dict[str, object]]:
    return [json.loads(entry.read_text()) for entry in box.waiting()]


def test_entries_wait_in_their_order_with_their_content(box: Outbox) -> None:
    for n in range(20):
        box.put({"picture": "filled", "images": n}, bytes([n]) * (n % 3))
    assert [entry["images"] for entry in told(box)] == list(range(20))
    fifth = box.waiting()[5]
    assert fifth.with_suffix(".bytes").read_bytes() == bytes([5, 5])
    box.drop(fifth)
    assert [entry["images"] for entry in told(box)] == [n for n in range(20) if n != 5]
    assert not fifth.with_suffix(".bytes").exists()


def test_a_run_that_goes_on_keeps_its_id_and_beginning_and_has_no_earlier_end(box: Outbox) -> None:
    box.begin(RUN, time.time_ns())
    box.note({**box.run(), "run": "id"})
    for entry in ({"metrics": [["loss", 1.0, 2, 3]]}, {"status": "KILLED", "at": 4}):
        box.put(entry)
    since = time.time_ns()
    box.put({"status": "FINISHED", "at": 5})  # a process that was quicker than who held the box
    box.begin({**RUN, "begun": 6, "uri": "there"}, since)
    assert box.run() == {**RUN, "uri": "there", "run": "id"}
    assert told(box) == [{"metrics": [["loss", 1.0, 2, 3]]}, {"status": "FINISHED", "at": 5}]


def test_more_than_there_is_room_for_is_refused_until_something_is_logged(
    box: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "ROOM", 1000)
    box.put({"picture": "first"}, bytes(900))
    with pytest.raises(Full):
        box.put({"picture": "second"}, bytes(100))
    assert [entry["picture"] for entry in told(box)] == ["first"] and len(list(box.folder.iterdir())) == 2
    box.drop(box.waiting()[0])
    box.put({"picture": "second"}, bytes(100))


def test_closed_nothing_stays_but_what_was_put_since(box: Outbox) -> None:
    with box.locked(0.0):
        box.begin(RUN, time.time_ns())
        box.close()
    assert not list(box.folder.parent.iterdir())
    with box.locked(0.0):
        box.begin(RUN, time.time_ns())
        box.put({"status": "KILLED", "at": 1})
        box.close()
    assert told(box) and box.run() == RUN


def test_one_process_sends_it_at_a_time(box: Outbox) -> None:
    with box.locked(0.0), pytest.raises(UserError, match="another process sends it just now"), box.locked(0.0):
        pass
