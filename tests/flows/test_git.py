"""A commit that this clone lacks is fetched; where it is not to be had, one line says so."""

import subprocess
from pathlib import Path

import pytest

from flows import git
from flows.errors import CommitMissing


def repository(folder: Path) -> Path:
    subprocess.run(["git", "init", "--quiet", folder], check=True)
    commit(folder)
    return folder


def commit(folder: Path) -> str:
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    git.run(folder, *who, "commit", "--quiet", "--allow-empty", "--message", "x")
    return git.run(folder, "rev-parse", "HEAD")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    git.run(tmp_path, "clone", "--quiet", str(repository(tmp_path / "home")), str(tmp_path / "away"))
    return tmp_path / "away"


def test_a_commit_of_a_remote_is_fetched(clone: Path) -> None:
    later = commit(clone.parent / "home")
    git.require(clone, later)
    assert git.run(clone, "cat-file", "-t", later) == "commit"


def test_a_commit_that_is_here_needs_no_remote(clone: Path) -> None:
    own = commit(clone)
    commit(clone.parent / "home")  # made in one second with the clone's, it is the very same
    later = commit(clone.parent / "home")
    git.require(clone, own)
    assert git.run(clone, "rev-parse", "HEAD") == own
    with pytest.raises(RuntimeError):  # nothing was fetched
        git.run(clone, "cat-file", "-e", later)


@pytest.mark.parametrize("remote", ["home", "gone"])
def test_a_commit_that_cannot_be_had_is_one_line(clone: Path, remote: str) -> None:
    git.run(clone, "remote", "set-url", "origin", str(clone.parent / remote))
    with pytest.raises(CommitMissing) as said:
        git.require(clone, "0" * 39 + "1")
    [line] = str(said.value).splitlines()
    assert line.startswith(f"{clone}: no commit 0000000 ") and line.endswith("; git push it to one")
    assert (str(clone.parent / "gone") in line) == (remote == "gone")
