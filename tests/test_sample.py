"""`plurifill sample`: every row of every testset, published whole, resumed after kill -9."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from stages import sample
from stages.contract import UserError
from stages.project import locks
from stages.sampling.store import SampleStore
from tests.sampling import toy


@pytest.fixture(scope="module")
def sharded(tmp_path_factory) -> Path:
    return toy.make(tmp_path_factory.mktemp("project"))


@pytest.fixture
def project(sharded, tmp_path) -> Path:
    """A fresh project with the dataset made."""
    shutil.copytree(sharded, tmp_path / "project")
    return tmp_path / "project"


def tars(root: Path) -> dict[str, bytes]:
    folder = root / "data" / "samples"
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.tar"))}


def files_of(project: Path) -> dict[str, bytes]:
    """All that was published."""
    folder = project / "data/samples/classical"
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_every_entry_of_every_test_set_is_published_and_nothing_stays_in_progress(project, capsys):
    with toy.inside(project):
        sample.main("classical", device="cpu")
    places = [f"data/samples/classical/{testset}/{row}" for testset in ("centre", "few") for row in ("mean", "telea")]
    assert sorted(capsys.readouterr().out.split()) == places
    finished = SampleStore.open(project / "data/samples/classical/few/telea")
    assert finished.description["entry"] == "classical/telea" and finished.description["params"]["algorithm"] == "telea"
    assert (finished.description["images"], finished.description["samples"], len(finished.keys)) == (4, 2, 4)
    assert finished.description["parents"] == {} and finished.description["trained_on"] == []
    left = [path for path in (project / "data/progress/classical").rglob("*") if path.is_file()]
    assert not [path for path in left if path.suffix != ".lock"]


def test_a_release_of_an_earlier_version_counts_every_network_that_was_lent():
    lent = {"perceptual": {"alex": "5eed", "vgg": "absent"}, "features": {"resnet50_seg": "f00d"}}
    assert sorted(sample.loss_networks(lent)) == ["alexnet", "fcn_resnet50"]
    assert sample.loss_networks({**lent, "loss_networks": ["vgg16"]}) == ["vgg16"]


def test_samples_that_dvc_removed_before_it_ran_the_stage_are_put_back(project, capsys):
    with toy.inside(project):
        sample.main("classical", device="cpu")
        before = files_of(project)
        shutil.rmtree("data/samples/classical")
        capsys.readouterr()
        sample.main("classical", device="cpu")
        assert capsys.readouterr().err.count("samples taken over from an earlier run") == 4
    assert files_of(project) == before  # to the last byte: what reads them is not stale


def test_three_at_once_draw_once_and_publish_the_same(project):
    """Whoever waited takes over what the first one has published; nobody removes it under the others."""
    path = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "stages.cli.app", "sample", "classical", "--device", "cpu"]
    runs = [subprocess.Popen(command, env=path, cwd=project, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    said = [run.communicate(timeout=120)[1] for run in runs]
    assert [run.returncode for run in runs] == [0, 0, 0], said
    assert sum(text.count("taken over from an earlier run") for text in said) == 2 * 4
    assert SampleStore.open(project / "data/samples/classical/few/telea").description["made"] == 8


def test_another_process_that_draws_is_waited_for_and_then_told_of(project, monkeypatch):
    monkeypatch.setattr("stages.sample.PATIENCE_S", 0.0)
    told = "another process draws classical's samples; wait for it"
    with (
        toy.inside(project),
        locks.held(Path("data/progress/classical/samples.lock"), 0, ""),
        pytest.raises(UserError, match=told),
    ):
        sample.main("classical", device="cpu")


def test_again_takes_everything_over_and_a_damaged_piece_is_made_again(project):
    with toy.inside(project):
        sample.main("classical", device="cpu")
        before = tars(project)
        piece = project / "data/samples/classical/centre/mean/samples-00000.tar"
        piece.write_bytes(b"damaged")
        sample.main("classical", device="cpu")
        assert tars(project) == before
        drawn = SampleStore.open(project / "data/samples/classical/centre/mean").description
        other = SampleStore.open(project / "data/samples/classical/centre/telea").description
    assert (drawn["reused"], drawn["made"]) == (0, 36)  # one piece
    assert (other["reused"], other["made"]) == (0, 36)  # as it was: what stands is not described anew


def test_other_params_are_other_samples(project):
    with toy.inside(project):
        sample.main("classical", device="cpu")
        sample.main("classical", device="cpu", set_=["methods.classical.inpaint.radius=5"])
        assert SampleStore.open(project / "data/samples/classical/centre/telea").description["reused"] == 0


def test_limit_takes_the_first_images(project):
    with toy.inside(project):
        sample.main("classical", device="cpu", limit=2)
    assert len(SampleStore.open(project / "data/samples/classical/centre/mean").keys) == 2


def test_mistakes_are_one_line(project):
    with toy.inside(project):
        with pytest.raises(UserError, match=r"^--part 3/2: write I/N"):
            sample.main("classical", device="cpu", part="3/2")
        with pytest.raises(UserError, match="no such method"):
            sample.main("clasical", device="cpu")
        with pytest.raises(UserError, match=r"testsets\.few\.maskss.*masks"):
            toy.write_params(project, {**toy.params(project), "testsets": {"few": {"maskss": "centre", "samples": 1}}})
            sample.main("classical", device="cpu")


def slow(root: Path) -> None:
    """Params under which one piece is one image, and takes a while."""
    values = toy.params(root)
    values["methods"]["classical"]["inpaint"] = {"algorithm": "biharmonic"}
    toy.write_params(root, {**values, "testsets": {"centre": {"masks": "centre", "images": 5, "samples": 64}}})


def start(root: Path) -> subprocess.Popen:
    project = Path(__file__).resolve().parent.parent
    environment = {**os.environ, "PYTHONPATH": str(project), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "stages.cli.app", "sample", "classical", "--device", "cpu"]
    return subprocess.Popen(command, cwd=root, env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def test_a_killed_run_goes_on_and_ends_as_an_undisturbed_one(project, tmp_path):
    slow(project)
    shutil.copytree(project, tmp_path / "undisturbed")
    killed = start(project)
    while killed.poll() is None and not list(project.glob("data/progress/classical/samples/*/samples-00001.json")):
        time.sleep(0.005)
    killed.send_signal(signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    assert not (project / "data/samples").exists()
    for root in (project, tmp_path / "undisturbed"):
        with toy.inside(root):
            sample.main("classical", device="cpu")
    drawn = json.loads((project / "data/samples/classical/centre/plain/store.json").read_text())
    assert drawn["reused"] >= 128 and drawn["reused"] + drawn["made"] == 64 * 5
    assert tars(project) == tars(tmp_path / "undisturbed")


def part(root: Path, text: str) -> subprocess.Popen:
    path = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "stages.cli.app", "sample", "classical", "--device", "cpu", "--part", text]
    return subprocess.Popen(command, env=path, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_parts_at_once_are_one_workers_samples_and_the_whole_draws_nothing(project, tmp_path):
    """Beside them one of another division: a piece that two have is made once."""
    slow(project)
    shutil.copytree(project, tmp_path / "one")
    runs = [part(project, text) for text in ("1/2", "2/2", "2/3")]
    said = [run.communicate(timeout=120) for run in runs]
    assert [run.returncode for run in runs] == [0, 0, 0], said
    assert not (project / "data/samples").exists() and not any(out for out, _ in said)
    for root in (project, tmp_path / "one"):
        with toy.inside(root):
            sample.main("classical", device="cpu")
    told = SampleStore.open(project / "data/samples/classical/centre/plain").description
    assert (told["made"], told["reused"]) == (0, 64 * 5)
    assert tars(project) == tars(tmp_path / "one")


def test_parts_draw_side_by_side_and_the_whole_waits_for_them(project, monkeypatch):
    monkeypatch.setattr("stages.sample.PATIENCE_S", 0.0)
    lock = Path("data/progress/classical/samples.lock")
    with toy.inside(project), locks.held(lock, 0, "", shared=True):
        sample.main("classical", device="cpu", part="1/2")
        with pytest.raises(UserError, match="another process draws classical's samples"):
            sample.main("classical", device="cpu")
    with toy.inside(project), locks.held(lock, 0, ""), pytest.raises(UserError, match="another process draws"):
        sample.main("classical", device="cpu", part="2/2")
