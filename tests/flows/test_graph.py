"""What a killed DVC leaves behind is put right; what a living one wrote is left alone."""

import json

import pytest

from flows import graph


@pytest.mark.parametrize("left", ["", '{"read": {"data/sh'])
def test_a_broken_list_of_busy_files_is_removed(tmp_path, left):
    busy = tmp_path / ".dvc" / "tmp" / "rwlock"
    busy.parent.mkdir(parents=True)
    busy.write_text(left)
    graph.repair_busy_list(tmp_path)
    assert not busy.exists()


def test_a_whole_one_stays_and_none_is_made(tmp_path):
    graph.repair_busy_list(tmp_path)
    busy = tmp_path / ".dvc" / "tmp" / "rwlock"
    assert not busy.parent.exists()
    busy.parent.mkdir(parents=True)
    busy.write_text(json.dumps({"write": {"data/shards": {"pid": 1, "cmd": "dvc repro"}}}))
    graph.repair_busy_list(tmp_path)
    assert "data/shards" in busy.read_text()
