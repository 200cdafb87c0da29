"""A project that was moved or copied finds its artefacts, and writes new ones where it lies now."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from stages.cli import record
from stages.contract import UserError
from stages.project.signals import Interrupted
from stages.tracking.store import TrackParams, connect
from stages.training.loop import train
from tests.tracked import enter
from tests.training.test_resume import stopping
from tests.training.toys import go, loop, run

ON = TrackParams(system_metrics=False)
BLOCK = loop(4, log_every=1, save_every=1)


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a run that has an artefact, and a model of it."""
    (tmp_path / "old").mkdir()
    enter(tmp_path / "old", monkeypatch)
    client, experiment = connect(ON, "training")
    first = write(client, experiment, "first")
    client.create_registered_model("toys")
    client.create_model_version("toys", client.get_run(first).info.artifact_uri, first)
    return tmp_path / "old"


def write(client: Any, experiment: str, text: str) -> str:
    """A new run with `text` as its artefact; its id."""
    made = client.create_run(experiment).info.run_id
    client.log_text(made, text, "note.txt")
    return made


def texts(project: Path, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The artefacts of all runs, read by MLflow in the project as it is."""
    import mlflow

    enter(project, monkeypatch)
    client, experiment = connect(ON, "training")
    addresses = [run.info.artifact_uri for run in client.search_runs([experiment])]
    return {mlflow.artifacts.load_text(f"{one}/note.txt") for one in addresses}


def test_a_moved_project_keeps_its_artefacts_and_does_not_make_the_old_folder_again(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = old.rename(old.parent / "a new #1 %20 place")
    enter(new, monkeypatch)
    client, experiment = connect(ON, "training")
    write(client, experiment, "second")
    assert texts(new, monkeypatch) == {"first", "second"} and not old.exists()
    assert len(list((new / "mlartifacts").rglob("note.txt"))) == 2
    version = client.get_model_version("toys", "1")
    assert version.source.startswith((new / "mlartifacts").as_uri())


def test_a_copy_and_its_original_write_apart(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    new = Path(shutil.copytree(old, old.parent / "new"))
    for project, text in ((new, "copy's"), (old, "original's")):
        enter(project, monkeypatch)
        write(*connect(ON, "training"), text)
    assert texts(new, monkeypatch) == {"first", "copy's"}
    assert texts(old, monkeypatch) == {"first", "original's"}
    assert [len(list(one.rglob("note.txt"))) for one in (old, new)] == [2, 2]


def test_what_a_copy_left_behind_is_found_where_it_is(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    new = Path(shutil.copytree(old, old.parent / "new", ignore=shutil.ignore_patterns("mlartifacts")))
    enter(new, monkeypatch)
    write(*connect(ON, "training"), "copy's")
    assert texts(new, monkeypatch) == {"first", "copy's"}
    assert [path.read_text() for path in new.rglob("note.txt")] == ["copy's"]


def test_a_place_that_the_user_chose_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "project").mkdir()
    enter(tmp_path / "project", monkeypatch)
    apart = tmp_path / "disk" / "mlartifacts"
    apart.mkdir(parents=True)
    client, _ = connect(ON, "models")
    client.create_experiment("plurifill-training", apart.as_uri())
    client, experiment = connect(ON, "training")
    write(client, experiment, "here")
    assert len(list(apart.rglob("note.txt"))) == 1


def begin() -> None:
    """Two steps of a training in the present folder, which is then stopped."""
    one = run(Path("state"), BLOCK, feed=stopping(1), track=ON)
    with pytest.raises(Interrupted):
        train(one)
    one.tracker.end("KILLED")


def test_a_training_that_goes_on_in_a_moved_project_goes_on_in_its_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "old").mkdir()
    enter(tmp_path / "old", monkeypatch)
    code = "import tests.tracking.test_moved as moved\nmoved.begin()"  # MLflow remembers a run's place in its process
    path = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", code], env=path, check=True, timeout=120)
    enter((tmp_path / "old").rename(tmp_path / "new"), monkeypatch)
    go(Path("state"), BLOCK, track=ON).run.tracker.end("FINISHED")
    client, experiment = connect(ON, "training")
    (found,) = client.search_runs([experiment])
    assert found.info.status == "FINISHED" and not (tmp_path / "old").exists()
    assert len(list((tmp_path / "new" / "mlartifacts").rglob("filled*.png"))) == 2  # untrained, and at the end


def test_a_question_mark_in_the_path_does_not_cut_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = tmp_path / "what?is=1"
    project.mkdir()
    enter(project, monkeypatch)
    write(*connect(ON, "training"), "here")
    assert texts(project, monkeypatch) == {"here"}
    assert [path.name for path in tmp_path.iterdir()] == [project.name]
    assert {path.name for path in project.iterdir()} >= {"mlflow.db", "mlflow.db.lock", "mlartifacts"}


def test_a_deleted_experiment_is_named_with_its_mend_and_training_goes_on(
    old: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    client, experiment = connect(ON, "training")
    client.delete_experiment(experiment)
    with pytest.raises(UserError, match=r"plurifill-training is deleted.*mlflow experiments restore -x") as told:
        connect(ON, "training")
    assert "\n" not in str(told.value)
    done = go(Path("state"), loop(4), track=ON)
    done.run.tracker.end("FINISHED")
    assert done.restore() == 4 and "UserError: MLflow's experiment" in capsys.readouterr().err
    client.restore_experiment(experiment)
    Path("params.yaml").write_text("track: {}\n")
    record.main(trainings=True)
    assert {run.info.run_name for run in client.search_runs([experiment])} >= {"toys/toy"}
