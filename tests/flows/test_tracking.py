"""The address of MLflow's database leads to the project's own from wherever a process runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from flows import tracking


@pytest.mark.parametrize("name", ["project", "my project", "what?is=1"])
@pytest.mark.parametrize("below", [".", ".dvc/tmp/sweeps/alpha/point"])
def test_a_process_in_any_folder_finds_the_projects_database(tmp_path: Path, name: str, below: str):
    project = tmp_path / name
    folder = project / below
    database = make_url(tracking.address(project, folder)).database
    assert database is not None
    assert (folder / database).resolve() == project / "mlflow.db"
