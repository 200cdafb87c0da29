"""`plurifill record`: finished scores in MLflow, once, with their intervals, cards and lineage."""

import base64
import hashlib
import json
import re
import shutil
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from stages.cli import record
from stages.contract import UserError
from stages.evaluation.sweeps import nights
from stages.project import paths, provenance
from stages.tracking.store import TrackParams, connect
from tests.evaluation.sweeps.made import ALPHA, CARD, finish
from tests.pages.project import finished
from tests.tracked import enter

FILE = "params.yaml"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a finished sweep of alpha, and no MLflow settings from outside."""
    enter(tmp_path, monkeypatch)
    with Path(FILE).open("w") as file:
        YAML().dump({"track": {"backend": "mlflow", "experiment": "toys"}}, file)
    for alpha in (0.25, 1.0):
        finish(paths.sweeps() / "alpha", f"a{alpha}", {ALPHA: alpha, "methods.m.kind": "vanilla"}, 20 + alpha)
    return tmp_path


def runs(purpose: Any) -> dict[str, Any]:
    """The experiment's runs by name."""
    client, experiment = connect(TrackParams(experiment="toys"), purpose)
    return {run.info.run_name: run for run in client.search_runs([experiment])}


def found(purpose: Any, condition: str) -> list[str]:
    client, experiment = connect(TrackParams(experiment="toys"), purpose)
    return sorted(run.info.run_name for run in client.search_runs([experiment], condition))


def shown(text: str) -> Any:
    """What MLflow's pages find at the address in `text`: the state that they keep in a tag of the experiment."""
    client, experiment = connect(TrackParams(experiment="toys"), "sweeps")
    (key,) = re.findall(rf"#/experiments/{experiment}/runs\?viewStateShareKey=([\w-]+)&.*=machine_learning", text)
    packed = client.get_experiment(experiment).tags[f"mlflow.sharedViewState.{key}"]
    return json.loads(zlib.decompress(base64.b64decode(packed.removeprefix("deflate;"))))


def test_the_address_leads_to_scores_over_what_the_sweep_varies(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record.main("alpha")
    state = shown(capsys.readouterr().out)
    charts = state["compareRunCharts"]
    assert state["orderByKey"] == "metrics.`param/alpha`" and state["searchFilter"]
    first, *_ = drawn = [chart for chart in charts if not chart["deleted"]]
    assert first["type"] == "SCATTER" and first["xaxis"] == {"key": "param/alpha", "type": "METRIC"}
    assert first["yaxis"]["key"] == "centre/psnr"
    assert [chart["selectedParams"] for chart in drawn if chart["type"] == "PARALLEL"] == [[ALPHA]]
    hidden = {chart["metricKey"] for chart in charts if chart["deleted"]}
    assert {"param/alpha", "centre/psnr_low", "centre/psnr_high"} <= hidden


def test_what_is_no_number_is_an_axis_by_its_name(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for kind, psnr in (("vanilla", 20.0), ("kernel", 21.0)):
        finish(paths.sweeps() / "kinds", f"kind={kind}", {"methods.m.kind": kind}, psnr, rows=("a", "b"))
    record.main("kinds")
    drawn = [chart for chart in shown(capsys.readouterr().out)["compareRunCharts"] if chart["type"] == "SCATTER"]
    axes = [(chart["xaxis"]["key"], chart["xaxis"]["type"], chart["yaxis"]["key"]) for chart in drawn[:2]]
    assert axes == [("methods.m.kind", "PARAM", "centre/psnr"), ("entry", "PARAM", "centre/psnr")]
    assert {runs("sweeps")[name].data.params["method"] for name in ("kind=kernel a", "kind=vanilla b")} == {"a", "b"}


def test_a_sweep_is_a_run_with_its_points_below_it_and_recording_again_changes_nothing(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record.main("alpha", point="a0.25")
    record.main("alpha")
    first = runs("sweeps")
    assert set(first) == {"alpha", "a0.25", "a1.0"}
    own = first["a1.0"].data
    assert own.tags["mlflow.parentRunId"] == first["alpha"].info.run_id
    own_params = {ALPHA: "1.0", "methods.m.kind": "vanilla"}
    assert own.params == {**own_params, "entry": "latent_codes", "method": "latent_codes", "dataset": "toy"}
    assert own.metrics["param/alpha"] == 1.0 and "param/kind" not in own.metrics
    assert own.metrics["centre/psnr_low"] < own.metrics["centre/psnr"] < own.metrics["centre/psnr_high"]
    assert "centre/fd_alexnet" in own.metrics and "centre/fd_alexnet_low" not in own.metrics
    assert own.tags["card.centre"] == CARD.signature() and own.tags["commit"] == "c0ffee"
    assert own.tags["dvc.experiment"] == "exp-a1.0" and own.tags["purpose"] == "sweeps"
    assert found("sweeps", "metrics.`param/alpha` > 0.5") == ["a1.0"]
    said = first["alpha"].data.tags["mlflow.note.content"]
    assert "2 points over" in said and shown(said)["searchFilter"].endswith(f"= '{first['alpha'].info.run_id}'")
    record.main("alpha")
    again = runs("sweeps")
    assert {name: run.info.run_id for name, run in again.items()} == {n: r.info.run_id for n, r in first.items()}
    assert "a1.0: there already" in capsys.readouterr().out


def test_a_point_that_was_made_anew_takes_its_own_place(project: Path) -> None:
    record.main("alpha")
    before = runs("sweeps")
    finish(paths.sweeps() / "alpha", "a1.0", {ALPHA: 1.0, "methods.m.kind": "vanilla"}, 25.0)
    record.main("alpha")
    after = runs("sweeps")
    assert set(after) == set(before) and after["a1.0"].info.run_id != before["a1.0"].info.run_id
    assert after["a0.25"].info.run_id == before["a0.25"].info.run_id
    assert after["a1.0"].data.metrics["centre/psnr"] > 23 > before["a1.0"].data.metrics["centre/psnr"]


def test_several_entries_of_a_point_are_several_runs(project: Path) -> None:
    finish(paths.sweeps() / "rows", "p", {"protocols.centre.selection": "first"}, 20, rows=("a", "a/b"))
    record.main("rows")
    assert set(runs("sweeps")) == {"rows", "p a", "p a/b"}


def test_a_night_stays_when_the_next_one_is_recorded_and_scores_are_curves_by_night(project: Path) -> None:
    folder = paths.sweeps() / "alpha"
    for day, psnr in ((1, 20.0), (2, 20.0), (3, 25.0)):  # the second as the first
        for place in (folder, folder / nights.FOLDER / f"2026-01-0{day}T030000Z"):
            finish(place, "a1.0", {ALPHA: 1.0}, psnr)
        before = runs("sweeps")
        record.main("alpha")
        after = runs("sweeps")
        record.main("alpha")
        assert {n: r.info.run_id for n, r in runs("sweeps").items()} == {n: r.info.run_id for n, r in after.items()}
        own = [name for name in before if name != "a1.0"]  # of the point as it is now, which its night keeps
        assert {name: after[name].info.run_id for name in own} == {name: before[name].info.run_id for name in own}
        assert f"2026-01-0{day}T030000Z a1.0" in set(after) - set(before)
    trend = after["a1.0 by night"]
    client, _ = connect(TrackParams(experiment="toys"), "sweeps")
    series = client.get_metric_history(trend.info.run_id, "centre/psnr")
    assert [(one.step, one.timestamp) for one in series] == [(n, 1767236400000 + 86400000 * n) for n in range(3)]
    assert [one.value for one in series] == [
        after[f"2026-01-0{day}T030000Z a1.0"].data.metrics["centre/psnr"] for day in (1, 2, 3)
    ]
    below = [run for name, run in after.items() if name.startswith("2026") or name == "a1.0 by night"]
    assert {run.data.tags["mlflow.parentRunId"] for run in below} == {after["alpha by night"].info.run_id}


def test_trainings_that_differ_by_their_seed_are_compared_as_one(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = "methods.m.prior.loop.seed"
    for alpha in (0.25, 1.0):
        for number in (0, 1):
            overrides = {ALPHA: alpha, seed: number}
            finish(paths.sweeps() / "seeds", f"alpha={alpha},seed={number}", overrides, 20 + alpha + number)
    record.main("seeds")
    found = runs("sweeps")
    together = {name: run for name, run in found.items() if "over 2 seeds" in name}
    assert set(together) == {"alpha=0.25 over 2 seeds", "alpha=1 over 2 seeds"} and len(found) == 1 + 4 + 2
    for value, name in ((0.25, "alpha=0.25 over 2 seeds"), (1.0, "alpha=1 over 2 seeds")):
        own = [found[f"alpha={value},seed={number}"].data.metrics["centre/psnr"] for number in (0, 1)]
        told = together[name].data
        assert told.metrics["param/alpha"] == value and "param/seed" not in told.metrics
        assert told.params["trainings"] == "2"
        assert told.metrics["centre/psnr"] == pytest.approx(sum(own) / 2)
        assert told.metrics["centre/psnr_std"] == pytest.approx(abs(own[0] - own[1]) / 2**0.5)
    state = shown(capsys.readouterr().out)
    client, experiment = connect(TrackParams(experiment="toys"), "sweeps")
    drawn = {run.info.run_id for run in client.search_runs([experiment], state["searchFilter"])}
    assert drawn == {run.info.run_id for run in together.values()}
    axes = {chart["xaxis"]["key"] for chart in state["compareRunCharts"] if chart["type"] == "SCATTER"}
    assert axes == {"param/alpha"}


@pytest.fixture(scope="module")
def benchmark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The finished project of the report's tests, in a copy that is tracked."""
    project = shutil.copytree(finished(), tmp_path_factory.mktemp("record") / "project")
    text = (project / FILE).read_text().replace("track: none", "track: {experiment: toys}")
    (project / FILE).write_text(text)
    yield project


def test_the_benchmark_is_a_run_an_entry_with_its_lineage(benchmark: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    enter(benchmark, monkeypatch)
    Path("dvc.lock").write_text("schema: '2.0'\n")
    mark = json.loads((paths.model("latent_codes", "prior") / "config.json").read_text())["fingerprint"]
    client, experiment = connect(TrackParams(experiment="toys"), "training")
    trained = client.create_run(experiment, tags={"fingerprint": mark}).info.run_id
    record.main()
    rows = runs("benchmark")
    Path("dvc.lock").write_text("schema: '2.0'\nstages: {}\n")  # by another stage: the scores are the same
    record.main()
    assert {n: r.info.run_id for n, r in runs("benchmark").items()} == {n: r.info.run_id for n, r in rows.items()}
    assert set(rows) == {"latent_codes", "classical/mean", "classical/telea"}
    own = rows["latent_codes"].data
    assert own.tags["parent.prior"] == trained and "parent.vq" not in own.tags
    assert own.tags["dvc.lock"] == hashlib.sha256(b"schema: '2.0'\n").hexdigest()
    assert client.get_run(trained).data.tags["dvc.lock"] == provenance.lock()
    assert own.tags["data"].startswith("photographs/test:") and len(own.tags["weights.vq"]) == 64
    assert own.metrics["param/alpha"] == 0.5 and own.metrics["param/temperature"] == 1.0
    assert own.params["methods.latent_codes.inpaint.token_mask.alpha"] == "0.5"
    scores = json.loads((paths.scores() / "latent_codes.json").read_text())["latent_codes"]
    assert own.metrics["raw/known_error"] == pytest.approx(scores["raw"]["known_error"])
    assert [one.path for one in client.list_artifacts(rows["latent_codes"].info.run_id)] == ["latent_codes.cards.json"]


def test_a_sweeps_parts_lead_to_their_training(project: Path) -> None:
    client, experiment = connect(TrackParams(experiment="toys"), "training")
    trained = client.create_run(experiment, tags={"fingerprint": "f00d"}).info.run_id
    note = paths.sweeps() / "alpha" / "a1.0.json"
    took = {"parameters": 5, "seconds": 2.5, "steps": 300, "skipped_steps": 2}
    told = {"parts": {"encoder": "f00d", "vq": "gone"}, "trainings": {"latent_codes/vq": took, "dsi/vq": took}}
    note.write_text(json.dumps({**json.loads(note.read_text()), **told}))
    record.main("alpha", point="a1.0")
    own = runs("sweeps")["a1.0"].data
    assert own.tags["parent.encoder"] == trained and "parent.vq" not in own.tags
    assert {name: value for name, value in own.metrics.items() if name.startswith("vq/")} == {
        f"vq/{name}": value for name, value in took.items()
    }


def test_the_lock_of_an_experiment_is_the_file_that_it_holds(project: Path) -> None:
    text = "schema: '2.0'\nstages: {}\n"
    Path("dvc.lock").write_text(text)
    name = ("-c", "user.name=a", "-c", "user.email=a@b")
    for words in (("init", "-q"), ("add", "dvc.lock"), (*name, "commit", "-qm", "x")):
        subprocess.run(["git", *words], check=True)
    subprocess.run(["git", "update-ref", "refs/exps/ab/cdef/alpha-a1", "HEAD"], check=True)
    expected = hashlib.sha256(text.encode()).hexdigest()
    assert provenance.lock("alpha-a1") == provenance.lock() == expected
    assert provenance.lock("alpha-a2") == "none"


def test_track_none_records_nothing_and_says_so(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path(FILE).write_text("track: none\n")
    record.main("alpha")
    assert capsys.readouterr().out == "params.yaml: track is none: nothing is recorded\n"
    assert not runs("sweeps")


def test_the_users_mistakes_are_one_line(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="--point needs --sweep"):
        record.main(point="a1.0")
    with pytest.raises(UserError, match="did you mean alpha"):
        record.main("alfa")
    with pytest.raises(UserError, match=r"--sweep: '../alpha' cannot be a name"):
        record.main("../alpha")
    with pytest.raises(UserError, match=r"no scores; run plurifill benchmark"):
        record.main()
    monkeypatch.setitem(sys.modules, "mlflow.exceptions", None)
    with pytest.raises(UserError, match="mlflow is not installed"):
        record.main("alpha")
