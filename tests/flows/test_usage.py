"""A command that was asked for help, or for what it does not know, runs nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(("words", "code"), [(["--help"], 0), (["-h"], 0), (["alpha"], 2), (["--dry-run"], 2)])
def test_reproduce_tells_its_usage_and_leaves_no_trace(tmp_path: Path, words: list[str], code: int) -> None:
    own = {**os.environ, "PYTHONPATH": str(ROOT), "PREFECT_HOME": str(tmp_path / "prefect")}
    (tmp_path / "here").mkdir()
    command = [sys.executable, "-m", "flows.reproduce", *words]
    ended = subprocess.run(command, cwd=tmp_path / "here", env=own, capture_output=True, text=True, timeout=120)
    assert ended.returncode == code and "usage: python -m flows.reproduce" in ended.stdout + ended.stderr
    assert not list((tmp_path / "here").iterdir())
