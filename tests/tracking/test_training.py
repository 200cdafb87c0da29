"""MLflow serves training: one run over all restarts, a database made ready once, and never a reason to stop."""

import os
import subprocess
import sys

import pytest

from stages.contract import UserError
from stages.project.params import validate
from stages.project.signals import Interrupted
from stages.tracking.store import TrackParams
from stages.tracking.training import About, Tracker
from tests.training.test_resume import stopping
from tests.training.toys import BATCH, go, loop

ON = TrackParams(system_metrics=False)


@pytest.fixture
def project(tmp_path, monkeypatch):
    """An empty project folder, no MLflow settings from outside."""
    monkeypatch.chdir(tmp_path)
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_a_resumed_run_continues_its_mlflow_run(project, monkeypatch):
    from mlflow import MlflowClient

    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "toys")
    block = loop(4, log_every=1, save_every=1)
    with pytest.raises(Interrupted):
        go(project / "state", block, feed=stopping(1), track=ON)
    done = go(project / "state", loop(4, log_every=1, save_every=3), track=ON)  # a param that may change on the way
    done.run.tracker.end("FINISHED")
    client = MlflowClient(f"sqlite:///{project}/mlflow.db")
    experiment = client.get_experiment_by_name("toys")
    assert experiment.artifact_location == (project / "mlartifacts").as_uri()
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.info.status == "FINISHED" and run.info.run_name == "toys/toy"
    assert run.data.tags["part"] == "toy" and run.data.params["loop.steps"] == "4"
    history = client.get_metric_history(run.info.run_id, "train/loss")
    assert [metric.step for metric in sorted(history, key=lambda m: m.step)] == [BATCH * n for n in (1, 2, 3, 4)]
    assert {metric.step for metric in client.get_metric_history(run.info.run_id, "val/mse")} == {0, 4 * BATCH}
    assert list((project / "mlartifacts").rglob("filled*.png"))


def test_without_mlflow_installed_training_goes_on_and_says_so_once(project, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    done = go(project / "state", loop(4, log_every=1), track=ON)
    assert done.restore() == 4
    assert capsys.readouterr().err.count("is not tracked from here on: ModuleNotFoundError") == 1


def test_a_store_that_cannot_be_reached_does_not_stop_training(project, monkeypatch, capsys):
    (project / "file").touch()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{project}/file/mlflow.db")
    assert go(project / "state", loop(4, log_every=1), track=ON).restore() == 4
    assert capsys.readouterr().err.count("is not tracked from here on") == 1


@pytest.mark.parametrize("block", ["none", None, {"backend": "none"}])
def test_track_none_works_and_touches_nothing(project, block):
    track = validate(TrackParams, block, "track")
    tracker = Tracker(track, About("toys/toy", {}, {}, project))
    tracker.log({"loss": 1.0}, 0)
    tracker.end("FINISHED")
    assert not tracker.live and not list(project.iterdir())


def test_a_misspelt_track_key_is_named():
    with pytest.raises(UserError, match=r"track\.backends; did you mean backend"):
        validate(TrackParams, {"backends": "none"}, "track")


@pytest.mark.long  # four processes that import MLflow
def test_four_processes_prepare_the_database_at_once(project):
    code = (
        "import sys\nfrom pathlib import Path\nfrom stages.tracking.store import TrackParams\n"
        "from stages.tracking.training import About, Tracker\n"
        "t = Tracker(TrackParams(system_metrics=False), About('toys/toy', {'a': 1}, {}, Path(sys.argv[1])))\n"
        "t.log({'loss': 1.0}, 1)\nt.end('FINISHED')\nsys.exit(not t.live)"
    )
    path = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    runs = [subprocess.Popen([sys.executable, "-c", code, str(project / str(i))], env=path) for i in range(4)]
    assert [run.wait(timeout=240) for run in runs] == [0, 0, 0, 0]
