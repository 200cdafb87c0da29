"""The real project at the tiny preset, by servers and workers: the pipeline, and a sweep that is disturbed."""

import json
import shutil
import signal
from pathlib import Path

import pandas as pd
import psutil
import pytest

from tests import graph_copy
from tests.flows.stack import Stack, until

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]

SWEEP = """
  both:
    grid:
      methods.latent_codes.token_mask.alpha: [0.25, 0.75]
      methods.latent_codes.inpaint.temperature: [0.5, 1.0]
"""


def test_the_whole_pipeline_and_then_nothing(tiny):
    assert tiny.wait(tiny.run("reproduce/pipeline"), 1700) == "COMPLETED"
    assert "up to date" in tiny.call("dvc", "status")
    kinds = {run["name"]: run["work_pool_name"] for run in tiny.runs("run-stage")}
    assert kinds["latent_codes@prior"] == "gpu" and kinds["benchmark@latent_codes"] == "cpu"
    links = tiny.ask("artifacts/filter", {"artifacts": {"key": {"any_": ["mlflow"]}}})
    assert any(tiny.environment["MLFLOW_PORT"] in link["data"] for link in links)
    assert tiny.wait(tiny.run("reproduce/pipeline")) == "COMPLETED"
    assert len(tiny.runs("run-stage")) == len(kinds)


def trainings(stack: Stack) -> list[psutil.Process]:
    """The trainings of points that run now."""
    found = []
    for process in stack.processes():
        try:
            if "train" in process.cmdline() and "sweeps" in Path(process.cwd()).parts:
                found.append(process)
        except (psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
    return found


@pytest.fixture(scope="module")
def calm(tiny: Stack, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """A copy of the finished project, where the same sweep is made by one process that nobody disturbs."""
    params = tiny.project / "params.yaml"
    params.write_text(params.read_text().replace("\nsweeps:", f"\nsweeps:{SWEEP.rstrip()}"))
    tiny.call("dvc", "repro")
    graph_copy.commit(tiny.project)
    folder = tmp_path_factory.mktemp("calm") / "project"
    shutil.copytree(tiny.project, folder, symlinks=True, ignore=shutil.ignore_patterns(".prefect", "mlflow.db*"))
    return Stack.of(folder)


@pytest.fixture(scope="module")
def swept(tiny: Stack, calm: Stack) -> Stack:
    """The stack after a sweep in whose middle a worker was killed."""
    run = tiny.run("sweep/grid", name="both")
    [training, *_] = until(lambda: trainings(tiny), 600)
    tiny.worker(f"gpu-on-{training.environ()['PLURIFILL_SLOT']}").send_signal(signal.SIGKILL)
    assert tiny.wait(run, 1500) == "COMPLETED"
    return tiny


def points(stack: Stack) -> dict[str, pd.DataFrame]:
    """Every score of every point."""
    folder = stack.project / "reports" / "sweeps" / "both"
    return {path.stem: pd.read_parquet(path.with_suffix(".parquet")) for path in sorted(folder.glob("*.json"))}


def test_a_disturbed_sweep_has_the_scores_of_an_undisturbed_one(swept, calm):
    calm.flows("sweep", "both")
    expected, made = points(calm), points(swept)
    assert len(made) == 4 and set(made) == set(expected)
    for name, frame in made.items():
        pd.testing.assert_frame_equal(frame, expected[name], check_exact=True, obj=name)
    assert made["alpha=0.25,temperature=0.5"]["value"].sum() != made["alpha=0.75,temperature=0.5"]["value"].sum()


def test_nothing_was_trained_twice(swept):
    log = (swept.project / ".prefect" / "workers.log").read_text()
    told = log[log.index("both: 4 of 4 points to make") :]
    begun = {
        part: told.count(f"> plurifill train latent_codes {part} ") for part in ("vq", "encoder", "prior", "decoder")
    }
    assert begun["vq"] == begun["prior"] == 0  # alpha concerns neither
    assert begun["encoder"] + begun["decoder"] == 2 * 2 + 1  # the one that was killed goes on


def test_dvc_mlflow_and_the_report_know_the_points(swept):
    assert "up to date" in swept.call("dvc", "status")
    notes = [json.loads(path.read_text()) for path in (swept.project / "reports/sweeps/both").glob("*.json")]
    shown = swept.call("dvc", "exp", "show", "--csv")
    assert all(note["experiment"] in shown for note in notes)
    assert all(note["trainings"].keys() == note["parts"].keys() for note in notes)
    assert all(one["parameters"] > 0 == one["skipped_steps"] for note in notes for one in note["trainings"].values())
    from mlflow import MlflowClient

    client = MlflowClient(f"http://127.0.0.1:{swept.environment['MLFLOW_PORT']}")
    experiment = client.get_experiment_by_name("plurifill-sweeps").experiment_id
    children = [run for run in client.search_runs([experiment]) if "mlflow.parentRunId" in run.data.tags]
    kept = {(run.data.metrics["param/alpha"], run.data.metrics["param/temperature"]) for run in children}
    assert kept == {(alpha, heat) for alpha in (0.25, 0.75) for heat in (0.5, 1.0)}
    assert all("box/l1_hole_low" in run.data.metrics and "card.box" in run.data.tags for run in children)
    page = (swept.project / "reports" / "index.html").read_text()
    assert "4 points over" in page and "<h3>sweep both: latent_codes on " in page


def test_a_sweep_is_started_from_the_form(swept, page):
    place = swept.deployment("sweep/grid")["id"]
    page.goto(f"{swept.pages}/deployments/deployment/{place}/run")
    page.get_by_text("Validate parameters").wait_for()
    assert page.get_by_text("All combinations of values by key").is_visible()
    page.locator("textarea").first.fill("form")
    page.get_by_text("dict", exact=True).first.click()
    page.locator("textarea").nth(1).fill(json.dumps({"methods.latent_codes.inpaint.temperature": [0.25, 2.0]}))
    page.screenshot(path=swept.project.parent / "form.png")
    page.get_by_role("button", name="Submit").click()
    [run] = until(lambda: [run for run in swept.runs("sweep") if run["parameters"]["name"] == "form"])
    assert swept.wait(run["id"], 900) == "COMPLETED"
    assert len(list((swept.project / "reports/sweeps/form").glob("*.json"))) == 2


def test_a_schedule_that_is_given_in_the_page_starts_the_benchmark(swept, page):
    place = swept.deployment("sweep/benchmark")["id"]
    page.goto(f"{swept.pages}/deployments/deployment/{place}")
    page.get_by_role("button", name="Schedule").first.click()
    page.locator("input[type=number]").last.fill("1")  # minutes
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Every minute").wait_for()
    given = next(one for one in swept.deployment("sweep/benchmark")["schedules"] if one["active"])
    begun = until(lambda: [run for run in swept.runs("sweep") if run["auto_scheduled"] and run["start_time"]])
    assert swept.wait(begun[0]["id"], 900) == "COMPLETED"
    swept.ask(f"deployments/{place}/schedules/{given['id']}", method="DELETE")
    assert len(list((swept.project / "reports/sweeps/benchmark").glob("*.json"))) == 1
