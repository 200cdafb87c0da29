"""What a killed DVC leaves behind is put right; what a living one wrote is left alone."""

import json
import os
import subprocess
import sys

import psutil
import pytest

from flows import graph
from tests.flows import toy
from tests.flows.stack import until


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


def test_what_is_made_at_this_moment_is_stale_and_nobody_waits_for_it(tmp_path):
    project = toy.make(tmp_path / "toy")
    toy.train(project, 1, 600)  # a minute
    known, begun = graph.read(project), tmp_path / "log"
    others = [name for name in known if name.endswith("@rival")]
    own = {**os.environ, "TOY_LOG": str(begun)}
    dvc = [sys.executable, "-m", "dvc"]
    subprocess.run([*dvc, "repro", "--quiet", *others, "toy@other"], cwd=project, env=own, check=True)
    before = graph.stale(known, project)
    making = subprocess.Popen([*dvc, "repro", "--quiet", "toy@train"], cwd=project, env=own)
    try:
        until(lambda: "learn train/1" in begun.read_text())
        assert graph.stale(known, project) == before
        assert {"toy@train", "sample@toy", "benchmark@toy"} <= set(before) and not {*others, "toy@other"} & set(before)
        assert making.poll() is None
    finally:
        for child in psutil.Process(making.pid).children(recursive=True):
            child.kill()
        making.kill()
        making.wait()
