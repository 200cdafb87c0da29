"""Stages that divide: what DVC would not run is in no parts, and what is no number of parts is one line."""

import subprocess
from pathlib import Path

import pytest

from flows import division, graph
from flows.errors import InvalidRequest

PIPELINE = """\
stages:
  sample:
    cmd: mkdir -p out && cp number out/samples && echo >> runs
    deps: [number]
    outs: [out]
    meta: {kind: gpu, divides: true}
  report: {cmd: cp out/samples page, deps: [out], outs: [page], meta: {kind: cpu}}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two stages, up to date."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dvc.yaml").write_text(PIPELINE)
    subprocess.run(["dvc", "init", "--no-scm", "--quiet"], check=True)
    made(tmp_path, "1")
    return tmp_path


def made(project: Path, number: str) -> int:
    """How often the stage was run, once all is made from this number."""
    (project / "number").write_text(number)
    subprocess.run(["dvc", "repro", "--quiet"], check=True)
    return len((project / "runs").read_text().splitlines())


def test_only_what_dvc_would_run_is_asked_for_in_parts(project: Path) -> None:
    assert not graph.would_run("sample") and not graph.would_run("report")
    (project / "number").write_text("2")
    assert graph.would_run("sample") and not graph.would_run("report")
    lock = (project / "dvc.lock").read_text()
    assert graph.would_run("sample") and (project / "dvc.lock").read_text() == lock
    before = made(project, "2")
    (project / "number").write_text("1")
    assert not graph.would_run("sample")  # its run cache has it
    assert (project / "out" / "samples").read_text() == "2" and made(project, "1") == before
    (project / "out" / "samples").unlink()
    assert not graph.would_run("sample") and made(project, "1") == before


def test_parts_are_the_stages_own_command(project: Path) -> None:
    known = graph.read()
    words = [division.command(known["sample"], part)[-2:] for part in division.words(3)]
    assert words == [["--part", "1/3"], ["--part", "2/3"], ["--part", "3/3"]]
    assert division.command(known["sample"], "1/3")[:3] == ["mkdir", "-p", "out"]
    with pytest.raises(InvalidRequest, match=r"^dvc.yaml: report does not divide; leave part out$"):
        division.command(known["report"], "1/3")


@pytest.mark.parametrize("text", ["", "two", "-1", "1.5", "1/2", "²"])
def test_a_word_is_no_number_of_parts(text: str) -> None:
    with pytest.raises(InvalidRequest, match=r"^parts = '.*': give in how many parts .*, from 1 to 64$"):
        division.read(text)


@pytest.mark.parametrize("parts", [0, -3, 65])
def test_a_number_of_parts_has_bounds(parts: int) -> None:
    with pytest.raises(InvalidRequest, match=f"^parts = {parts}: give in how many parts .*, from 1 to 64$"):
        division.check(parts, shared=False, by_workers=True)


def test_parts_need_workers_of_this_very_clone_and_one_part_nothing() -> None:
    with pytest.raises(InvalidRequest, match=r"^parts = 2: .*PLURIFILL_SHARED=1\); leave parts out$"):
        division.check(2, shared=True, by_workers=True)
    with pytest.raises(InvalidRequest, match=r"^parts = 2: parts are runs of workers; `make workers pipeline PARTS=2`"):
        division.check(2, shared=False, by_workers=False)
    division.check(1, shared=True, by_workers=False)
    division.check(division.MOST, shared=False, by_workers=True)


def test_the_projects_samples_and_scores_divide_and_nothing_else() -> None:
    root = Path(__file__).resolve().parents[2]
    known = graph.parse((root / "dvc.yaml").read_text(), (root / "params.yaml").read_text())
    divides = {name for name, one in known.items() if one.divides}
    assert divides == {name for name in known if name.split("@")[0] in ("sample", "benchmark")} != set()
    assert division.command(known["sample@dsi"], "2/4") == ["plurifill", "sample", "dsi", "--part", "2/4"]
