"""Artefacts that DVC keeps as links into a cache elsewhere, in paths with spaces: read, replaced, never written to."""

import subprocess
import sys
from pathlib import Path

import pytest

from stages import benchmark, sample, shard
from stages.project.hashing import of_file
from tests.sampling import toy

OUTS = ("data/shards/toy", "data/masks/toy", "data/samples/classical")


def dvc(root: Path, *words: str) -> None:
    command = [sys.executable, "-m", "dvc", *words]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.long
def test_links_into_a_cache_in_a_path_with_spaces_are_read_and_what_they_lead_to_stays(tmp_path: Path) -> None:
    root, disk = toy.make(tmp_path / "a project"), tmp_path / "another disk"
    with toy.inside(root):
        sample.main("classical", device="cpu")
    disk.mkdir()
    (tmp_path / "link to it").symlink_to(disk)
    dvc(root, "init", "--no-scm", "--quiet")
    dvc(root, "config", "cache.type", "symlink")
    dvc(root, "cache", "dir", str(tmp_path / "link to it"))
    dvc(root, "add", "--quiet", *OUTS)
    kept = {path: of_file(path) for path in disk.rglob("*") if path.is_file()}
    linked = [path for out in OUTS for path in (root / out).rglob("*") if path.is_symlink()]
    assert len(kept) > 10 and len(linked) > 10
    with toy.inside(root):
        benchmark.main("classical", device="cpu")
        sample.main("classical", device="cpu")
        shard.main(["toy"])
        toy.write_params(root, {**toy.params(root), "masks": {"centre": {"generator": "box", "side": 0.25}}})
        shard.main(["toy"])
        sample.main("classical", device="cpu")
        benchmark.main("classical", device="cpu")
    assert {path: of_file(path) for path in disk.rglob("*") if path.is_file()} == kept
