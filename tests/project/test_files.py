"""Files and folders are there whole or not at all, whatever happened to who wrote them."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from stages.contract import UserError
from stages.project import files, locks


def gone() -> int:
    """The number of a process that has ended."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


def test_what_a_killed_process_began_to_write_goes_and_a_living_ones_stays(tmp_path):
    left, living = tmp_path / f".{gone()}.a[1].txt", tmp_path / f".{os.getppid()}.a[1].txt"
    other = tmp_path / f".{gone()}.b.txt"
    for half in (left, living, other):
        half.write_text("half")
    files.write_text(tmp_path / "a[1].txt", "whole")
    assert sorted(tmp_path.iterdir()) == sorted([living, other, tmp_path / "a[1].txt"])


def test_a_folder_that_could_not_be_filled_leaves_nothing_and_the_old_one(tmp_path):
    for content in ("old", None):
        try:
            with files.atomic_folder(tmp_path / "made") as part:
                (part / "file").write_text(content or "half")
                if content is None:
                    raise OSError(errno.ENOSPC, "No space left on device")
        except OSError as error:
            assert error.filename == str(tmp_path / "made")
    assert [path.name for path in tmp_path.iterdir()] == ["made"]
    assert (tmp_path / "made" / "file").read_text() == "old"


def test_a_folder_whose_writer_was_killed_between_the_renames_is_not_lost(tmp_path):
    (tmp_path / ".made.old").mkdir()
    (tmp_path / ".made.part").mkdir()
    with pytest.raises(ZeroDivisionError), files.atomic_folder(tmp_path / "made"):
        _ = 1 / 0
    assert [path.name for path in tmp_path.iterdir()] == ["made"]


def test_a_folder_is_written_by_one_process_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "PATIENCE_S", 0.0)
    told = pytest.raises(UserError, match=r"made: another process writes it; wait for it")
    with locks.held(tmp_path / ".made.lock", 0, ""), told, files.atomic_folder(tmp_path / "made"):
        pass
    assert not (tmp_path / "made").exists()


def test_a_full_disk_tells_of_the_file_that_was_being_written(tmp_path):
    with pytest.raises(OSError, match=r"No space left on device: '.*whole\.txt'"), files.atomic(tmp_path / "whole.txt"):
        Path("/dev/full").write_text("x")


def test_what_is_half_written_is_never_found(tmp_path):
    for name in ("a/config.json", ".a.part/config.json", "a/.1.config.json"):
        files.write_text(tmp_path / name, "{}") if not name.startswith(".") else (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    assert files.visible(tmp_path, "*/*.json") == [tmp_path / "a" / "config.json"]


def test_what_a_killed_process_left_beside_a_folder_is_cleared(tmp_path):
    for name in ("made", ".made.old", ".made.part"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    (tmp_path / ".made.lock").touch()
    files.clear(tmp_path / "made")
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")) == ["made", "made/made"]


def test_what_a_stopped_process_wrote_is_there_for_who_writes_the_same_and_for_nobody_else(tmp_path):
    def begin(of: str, error: type[BaseException]) -> list[str]:
        """What lies there already; a file more is written before the error."""
        there = []
        with pytest.raises(error), files.atomic_folder(tmp_path / "made", of) as part:
            there = sorted(path.name for path in part.iterdir())
            (part / f"{of or 'none'}{len(there)}").touch()
            raise error
        return there

    assert begin("a", KeyboardInterrupt) == [] and begin("a", SystemExit) == ["a0"]
    assert begin("b", SystemExit) == [] and begin("b", OSError) == ["b0"] and list(tmp_path.iterdir()) == []
    assert begin("b", SystemExit) == [] and begin("", SystemExit) == [] and list(tmp_path.iterdir()) == []
    begin("a", KeyboardInterrupt)
    with files.atomic_folder(tmp_path / "made", "a"):
        pass
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")) == ["made", "made/a0"]
