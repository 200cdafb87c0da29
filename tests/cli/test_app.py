"""The door of all verbs: what no verb foresaw of a place or a disk is one line that names it, exit code 2."""

import errno
import importlib
import re
from pathlib import Path

import pytest

from stages.cli import app
from stages.contract import UserError
from stages.project import files


def line(capsys: pytest.CaptureFixture[str], verb: str, *words: str) -> str:
    """The one line that a refused command says."""
    with pytest.raises(SystemExit) as stop:
        app.run(verb, list(words))
    said = capsys.readouterr().err
    assert stop.value.code == 2 and said.count("\n") == 1 and said.startswith(f"plurifill {verb}: ")
    return said


@pytest.fixture(autouse=True)
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with presets and a file that stands where folders are wanted."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "presets").mkdir()
    (tmp_path / "presets" / "photographs.yaml").write_text("data: {dataset: x}\n")
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    return tmp_path


@pytest.mark.parametrize("verb", app.verbs())
def test_what_the_usage_lists_can_be_run_and_says_what_it_does(verb: str) -> None:
    assert callable(importlib.import_module(app.verbs()[verb]).main)
    assert re.search(rf"^  {verb} +\S", app.usage(), re.MULTILINE)


def test_an_output_in_a_place_that_takes_no_file_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    for place, told in (
        ("file/params.yaml", "file: File exists"),
        ("folder", "Is a directory"),
        ("a" * 300, "too long"),
    ):
        assert told in line(capsys, "preset", "photographs", "--output", place)
    assert not list(Path("folder").iterdir()) and Path("file").read_bytes() == b""


def test_a_line_stays_one_whatever_the_user_wrote(capsys: pytest.CaptureFixture[str]) -> None:
    assert "no preset x y" in line(capsys, "preset", "x\ny")


def test_signs_that_move_a_terminals_cursor_are_spelt_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert r"no preset \x1b[2Jé\u202egpj\udce9;" in line(capsys, "preset", "\x1b[2Jé\u202egpj\udce9")


def test_what_is_no_matter_of_places_is_ours_and_keeps_its_traceback() -> None:
    Path("presets/photographs.yaml").unlink()
    Path("presets/photographs.yaml").symlink_to("photographs.yaml")  # ELOOP
    with pytest.raises(OSError) as told:
        app.run("preset", [])
    assert told.value.errno == errno.ELOOP


@pytest.mark.parametrize("below", ["", "a", "a/b"])
def test_a_folder_that_cannot_be_is_told_before_it_is_made(below: str) -> None:
    files.refuse_no_folder(Path("new") / below, "--output")
    with pytest.raises(UserError, match=r"--output file.*: .*file is a file; name a folder"):
        files.refuse_no_folder(Path("file") / below, "--output")
    assert not Path("new").exists()
