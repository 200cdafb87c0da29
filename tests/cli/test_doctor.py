"""`plurifill doctor`: what is there is named by file and hash, what is not by what is missing without it."""

import hashlib
import json
from pathlib import Path

import pytest

from stages.cli import doctor
from stages.contract import UserError
from stages.project import weights


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with params.yaml, and a folder of weights that holds a wrong file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PLURIFILL_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("FACES", str(tmp_path))
    (tmp_path / "alexnet_owt_features.pth").write_bytes(b"something else")
    (tmp_path / "params.yaml").write_text(
        "datasets: {photographs: {layout: photographs}, faces: {layout: folder, root: $FACES}, "
        "gone: {layout: folder, root: gone}}\n"
    )
    return tmp_path


def examined(capsys: pytest.CaptureFixture[str]) -> dict:
    doctor.main(as_json=True)
    return json.loads(capsys.readouterr().out)


def test_every_backbone_says_what_is_missing_without_it(capsys: pytest.CaptureFixture[str]) -> None:
    found = examined(capsys)["weights"]
    assert found.keys() == weights.TABLE.keys()
    assert all(told["missing without it"] for told in found.values())
    assert "lpips_vgg" in found["vgg16"]["missing without it"]
    assert "perceptual losses with lpips_net: vgg" in found["vgg16"]["missing without it"]


def test_a_wrong_file_is_named_and_not_taken(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = examined(capsys)["weights"]["alexnet"]
    assert found["file"] is None
    assert found["wrong"] == [f"{machine / 'alexnet_owt_features.pth'} has another sha256 than 5b04cff72696"]


def test_what_is_missing_is_had_by_fetching_where_a_source_has_it(
    machine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (machine / "web").mkdir()
    (machine / "web" / "toy.pth").write_bytes(b"toy")
    for name, file in (("toy", "toy.pth"), ("lost", "lost.pth")):
        sha256 = hashlib.sha256(b"toy").hexdigest()
        monkeypatch.setitem(weights.TABLE, name, weights.Weights((machine / "web" / file).as_uri(), {file: sha256}))
    for name in set(weights.TABLE) - {"toy", "lost"}:
        monkeypatch.delitem(weights.TABLE, name)
    monkeypatch.setattr(doctor, "needed_by", lambda: {"toy": ["it"], "lost": ["that"]})
    before = examined(capsys)["weights"]
    assert before["toy"]["file"] is None and before["toy"]["get it by"] == "plurifill doctor --fetch"
    doctor.main(as_json=True, fetch=True)
    told = capsys.readouterr()
    after, there = json.loads(told.out)["weights"], machine / "torch" / "hub" / "checkpoints" / "toy.pth"
    assert (after["toy"]["file"], after["lost"]["file"]) == (str(there), None)
    assert f"toy: {there}" in told.err and "lost: lost.pth not in" in told.err


def test_roots_are_looked_for_where_params_say(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = examined(capsys)["datasets"]
    assert (found["faces"]["root"], found["faces"]["there"]) == (str(machine), True)
    assert (found["gone"]["there"], found["photographs"]["made"]) == (False, False)


def test_it_speaks_in_lines_and_needs_no_params(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (machine / "params.yaml").unlink()
    doctor.main()
    lines = capsys.readouterr().out.splitlines()
    assert any(line.split()[:1] == ["torch"] for line in lines)
    assert any("hardware: CPU" in line and "bf16:" in line for line in lines)


def test_nothing_is_made_or_downloaded(machine: Path) -> None:
    before = sorted(machine.rglob("*"))
    doctor.main()
    assert sorted(machine.rglob("*")) == before


def test_a_half_block_is_told_as_far_as_it_goes(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (machine / "params.yaml").write_text("datasets: {half: {size: 64}, rooted: {root: $FACES}, odd: {root: 5}}\n")
    found = examined(capsys)["datasets"]
    assert found["half"] == {"layout": "not given", "made": False, "root": "not given"}
    assert (found["rooted"]["layout"], found["rooted"]["there"]) == ("not given", True)
    assert (found["odd"]["root"], found["odd"]["there"]) == ("5", False)
    (machine / "params.yaml").write_text("datasets: {faces: null}\n")
    with pytest.raises(UserError, match=r"params.yaml: datasets.faces is empty \(null\); it takes a block of keys"):
        doctor.main()


def test_broken_params_are_the_users_mistake(machine: Path) -> None:
    (machine / "params.yaml").write_text("datasets: {")
    with pytest.raises(UserError, match="not readable as YAML"):
        doctor.main()
