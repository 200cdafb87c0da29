"""The graph's commands, whatever the blocks of params.yaml are called."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from dvc.repo import Repo

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize("name", ["x; touch hit", "my faces", "$(touch hit)", "a && b"])
def test_a_datasets_name_is_one_word_of_the_shell(tmp_path: Path, name: str):
    (tmp_path / ".dvc").mkdir()
    for file in ("dvc.yaml", ".dvcignore", ".dvc/config"):
        shutil.copyfile(ROOT / file, tmp_path / file)
    text = (ROOT / "params.yaml").read_text()
    text = text.replace("\n  photographs:\n", f"\n  '{name}':\n").replace("dataset: photographs", f"dataset: '{name}'")
    (tmp_path / "params.yaml").write_text(text)
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    with Repo(str(tmp_path)) as repo:
        words = {stage.name: shlex.split(stage.cmd) for stage in repo.index.stages}
    assert words[f"shard@{name}"] == ["plurifill", "shard", name]
    named = [found for found in words.values() if "--dataset" in found]
    assert named and all(found[-2:] == ["--dataset", name] for found in named)
