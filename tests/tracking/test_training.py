"""MLflow serves training: one run over all restarts, a database made ready once, and never a reason to stop."""

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from stages.cli import record
from stages.contract import Batch, UserError
from stages.project import paths
from stages.project.params import validate
from stages.project.signals import Interrupted
from stages.tracking.store import TrackParams
from stages.tracking.training import About, Tracker
from stages.training.loop import train
from stages.training.loop_params import LoopParams
from tests.tracked import enter, put
from tests.training.test_resume import stopping
from tests.training.toys import BATCH, batches, loop, run

ON = TrackParams(system_metrics=False)


@pytest.fixture
def project(tmp_path, monkeypatch):
    """An empty project folder, no MLflow settings from outside."""
    monkeypatch.chdir(tmp_path)
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME"):
        monkeypatch.delenv(name, raising=False)
    Path("params.yaml").write_text("track: {}\n")
    return tmp_path


def learn(folder: Path, block: LoopParams, **keys: object) -> Tracker:
    """Train as a session does: whatever ends the training ends its tracker."""
    one = run(folder, block, track=ON, **keys)
    try:
        train(one)
    except Interrupted:
        one.tracker.end("KILLED")
        raise
    one.tracker.end("FINISHED")
    return one.tracker


def logged(project: Path) -> tuple[Any, Any]:
    """A client of the project's own database and its one run."""
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{project}/mlflow.db")
    experiment = client.get_experiment_by_name("plurifill-training")
    assert experiment.artifact_location == (project / "mlartifacts").as_uri()
    (found,) = client.search_runs([experiment.experiment_id])
    return client, found


def seen(client: Any, found: Any, name: str) -> list[int]:
    """At how many images the metric was logged."""
    return sorted(metric.step for metric in client.get_metric_history(found.info.run_id, name))


def test_a_resumed_run_continues_its_mlflow_run(project):
    block = loop(4, log_every=1, save_every=1)
    with pytest.raises(Interrupted):
        learn(project / "state", block, feed=stopping(1))
    client, found = logged(project)
    assert found.info.status == "KILLED" and seen(client, found, "train/loss") == [BATCH, 2 * BATCH]
    learn(project / "state", loop(4, log_every=1, save_every=3))  # a param that may change on the way
    client, again = logged(project)
    assert again.info.run_id == found.info.run_id and again.info.status == "FINISHED"
    assert again.info.run_name == "toys/toy" and again.info.end_time > found.info.end_time
    assert again.data.tags["part"] == "toy" and again.data.params["loop.steps"] == "4"
    assert seen(client, again, "train/loss") == [BATCH * n for n in (1, 2, 3, 4)]
    assert seen(client, again, "val/mse") == [0, 4 * BATCH]
    assert len(list((project / "mlartifacts").rglob("filled*.png"))) == 2 and not waiting()


def waiting() -> list[Path]:
    """What is not logged yet, in the present project."""
    return [path for path in paths.unlogged().rglob("*") if path.is_file()]


def test_without_mlflow_installed_training_goes_on_and_says_so_once(project, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    assert not learn(project / "state", loop(4, log_every=1)).live
    assert capsys.readouterr().err.count("toys/toy is not tracked: mlflow is not installed") == 1
    assert not waiting()


def hide(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An MLflow whose database cannot be opened, as long as the file stands that is given."""
    (project / "later").touch()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{project}/later/mlflow.db")
    return project / "later"


def test_what_mlflow_did_not_take_is_told_kept_and_logged_later(project, monkeypatch, capsys):
    barrier = hide(project, monkeypatch)
    learn(project / "state", loop(4, log_every=1))
    told = capsys.readouterr().err.splitlines()
    first, last = (line for line in told if "MLflow" in line or "WARNING" in line)
    assert first.startswith("toys/toy: MLflow takes nothing just now (") and "training goes on" in first
    assert "entries wait in" in last and last.endswith("`plurifill record --trainings` logs them")
    shutil.rmtree(project / "state")  # as a finished part's state goes
    with pytest.raises(UserError, match=f"MLflow at sqlite:///{project}/later/mlflow.db: "):
        record.main(trainings=True)
    barrier.unlink()
    put(barrier)
    record.main(trainings=True)
    assert re.fullmatch(r"toys/toy: \d+ entries logged late\n", capsys.readouterr().out) and not waiting()
    client, found = logged(barrier)
    assert found.info.status == "FINISHED" and found.data.params["loop.steps"] == "4"
    assert seen(client, found, "train/loss") == [BATCH * n for n in (1, 2, 3, 4)]
    assert len(list((barrier / "mlartifacts").rglob("filled*.png"))) == 2 and not (project / "state").exists()
    record.main(trainings=True)
    assert capsys.readouterr().out == "" and len(logged(barrier)[0].search_runs([found.info.experiment_id])) == 1


def test_a_training_that_goes_on_logs_what_waited_and_ends_when_it_ends(project, monkeypatch):
    barrier = hide(project, monkeypatch)
    block = loop(4, log_every=1, save_every=1)
    with pytest.raises(Interrupted):
        learn(project / "state", block, feed=stopping(1))
    barrier.unlink()
    put(barrier)
    learn(project / "state", block)
    client, found = logged(barrier)
    assert seen(client, found, "train/loss") == [BATCH * n for n in (1, 2, 3, 4)]
    assert found.info.status == "FINISHED" and not waiting()


def test_a_database_that_is_locked_in_the_middle_holds_nothing_up(project, monkeypatch, capsys):
    """Locked from the second step on until the last is done: the training does not wait for it."""
    enter(project, monkeypatch)
    other = sqlite3.connect(project / "mlflow.db", isolation_level=None)

    def feed(k: int, rank: int, world: int) -> Batch:
        if k == 1:
            other.execute("BEGIN EXCLUSIVE")
        return batches(k, rank, world)

    one = run(project / "state", loop(4, log_every=1), track=ON, feed=feed)
    train(one)
    other.execute("ROLLBACK")
    one.tracker.end("FINISHED")
    client, found = logged(project)
    assert seen(client, found, "train/loss") == [BATCH * n for n in (1, 2, 3, 4)] and not waiting()
    assert "WARNING" not in capsys.readouterr().err


def test_more_than_there_is_room_for_is_left_out_and_counted(project, monkeypatch, capsys):
    hide(project, monkeypatch)
    monkeypatch.setattr("stages.tracking.outbox.ROOM", 1000)  # a picture more than that
    learn(project / "state", loop(4, log_every=1))
    told = capsys.readouterr().err
    assert told.count("entries for MLflow are left out from here on: 0 MiB wait already") == 1
    assert "WARNING: toys/toy: 2 entries for MLflow were left out" in told


@pytest.mark.parametrize("block", ["none", None, {"backend": "none"}])
def test_track_none_works_and_touches_nothing(project, block):
    track = validate(TrackParams, block, "track")
    tracker = Tracker(track, About("toys/toy", {}, {}, project))
    tracker.log({"loss": 1.0}, 0)
    tracker.end("FINISHED")
    assert not tracker.live and [path.name for path in project.iterdir()] == ["params.yaml"]


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
