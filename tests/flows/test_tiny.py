"""The real pipeline at the tiny preset, by the commands that a user types: `make ui workers deploy pipeline`."""

import json

import pytest

from tests import test_pipeline
from tests.flows.house import House

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory):
    """The project at the tiny preset; nothing is made yet."""
    found = House.of(test_pipeline.fresh(tmp_path_factory.mktemp("tiny") / "project"), slots=2)
    try:
        found.flows("ui", "start")
        found.flows("workers", "start")
        found.flows("deploy")
        yield found
    finally:
        found.close()


@pytest.mark.timeout(1800)
def test_the_whole_pipeline_and_then_nothing(house):
    assert house.wait(house.run("reproduce/pipeline"), 1700) == "COMPLETED"
    assert "up to date" in house.call("dvc", "status")
    kinds = {run["name"]: run["work_pool_name"] for run in house.runs("run-stage")}
    assert kinds["latent_codes@prior"] == "gpu" and kinds["benchmark@latent_codes"] == "cpu"
    links = house.ask("artifacts/filter", {"artifacts": {"key": {"any_": ["mlflow"]}}})
    assert any(house.environment["MLFLOW_PORT"] in link["data"] for link in links)
    assert house.wait(house.run("reproduce/pipeline")) == "COMPLETED"
    assert len(house.runs("run-stage")) == len(kinds)


@pytest.mark.timeout(1800)
def test_a_sweep_of_alpha_and_temperature(house):
    test_pipeline.commit(house.project)
    grid = {
        "methods.latent_codes.token_mask.alpha": [0.25, 0.75],
        "methods.latent_codes.inpaint.temperature": [0.5, 1.0],
    }
    assert house.wait(house.run("sweep/grid", name="both", grid=grid), 1700) == "COMPLETED"
    folder = house.project / "reports" / "sweeps" / "both"
    points = [json.loads(path.read_text()) for path in folder.glob("*.json")]
    assert len(points) == 4 and "up to date" in house.call("dvc", "status")
    shown = house.call("dvc", "exp", "show", "--csv")
    assert all(point["experiment"] in shown for point in points)
