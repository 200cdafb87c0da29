"""A sweep's files: whose they are when params.yaml moves on, what stays when it is begun anew, what a night keeps."""

import json
from pathlib import Path

import pandas as pd
import pytest

from flows import git, graph, nights, sweep_work
from flows.errors import InvalidRequest
from flows.results import Results
from flows.sweep_spec import SweepRequest, SweepSpec
from tests.flows import toy

HEAT = "methods.toy.inpaint.heat"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return toy.make(tmp_path / "toy")


def begin(project: Path, anew: bool = False, name: str = "grid") -> tuple[SweepSpec, Results, str]:
    spec = SweepRequest(name).resolve((project / "params.yaml").read_text(), graph.read(project))
    results = Results(project, spec.name)
    return spec, results, results.begin(spec, sweep_work.needed(project, spec), git.clean_head(project), anew)


def finish(results: Results, point: str, commit: str, score: float) -> None:
    """A point's files, as if it were made."""
    scores = results.root / "scores"
    scores.mkdir(exist_ok=True)
    for ending in (".parquet", ".summary.parquet"):
        pd.DataFrame({"estimate": [score]}).to_parquet(scores / f"toy{ending}")
    results.write(point, scores, {"methods": ["toy"], "commit": commit})


def estimates(folder: Path) -> dict[str, float]:
    """The score of every point in a folder that has its note."""
    return {
        path.stem: float(pd.read_parquet(path.with_suffix(".summary.parquet"))["estimate"].iloc[0])
        for path in sorted(folder.glob("*.json"))
    }


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("rival: {inpaint: {good: true}}", "rival: {inpaint: {good: false}}"),
        ("sweeps:\n", "sweeps:\n  another: {grid: {methods.toy.inpaint.heat: [7]}}\n"),
        ("heat: 1.0}", "heat: 3.0}"),  # every point has its own
        ("# the toy's\n", "# somebody's\n"),
    ],
)
def test_a_commit_that_no_point_reads_leaves_a_sweep_at_its_commit(project: Path, old: str, new: str) -> None:
    _, _, first = begin(project)
    toy.edit(project, old, new)
    assert git.clean_head(project) != first
    assert begin(project)[2] == first


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("steps: 20}", "steps: 30}", "methods.toy.train.steps (20, now 30)"),
        ("other: {steps: 10}", "other: {steps: 10, more: null}", "methods.toy.other.more (none, now null)"),
        ("rate: 1, steps: 20}", "rate: 9}", "methods.toy.train.steps (20, now none)"),
    ],
)
def test_a_commit_to_a_key_that_points_read_is_one_line(project: Path, old: str, new: str, told: str) -> None:
    first = begin(project)[2][:7]
    toy.edit(project, old, new)
    with pytest.raises(InvalidRequest) as refused:
        begin(project)
    line = f"{project}/reports/sweeps/grid.json: begun at {first} with other {told}; finish it from there "
    assert str(refused.value).startswith(line) and "\n" not in str(refused.value)


def test_begun_anew_every_point_stays_as_it_was_until_it_is_made_again(project: Path) -> None:
    spec, results, first = begin(project)
    for number, point in enumerate(spec.points):
        finish(results, point, first, float(number))
    toy.edit(project, "heat: [0.5, 1.0]", "heat: [0.5, 2.0]")
    toy.edit(project, "steps: 20}", "steps: 30}")
    spec, results, second = begin(project, anew=True)
    assert second != first and sorted(estimates(results.folder).values()) == [0.0, 1.0, 2.0, 3.0]
    assert not [point for point in spec.points if results.is_finished(point, second)]
    for point in spec.points:
        results.forget_others(spec.points, second)
        assert len(estimates(results.folder)) >= 4  # nothing goes before all is there
        finish(results, point, second, 10.0)
    results.forget_others(spec.points, second)
    assert estimates(results.folder) == dict.fromkeys(sorted(spec.points), 10.0)
    assert {path.suffix for path in results.folder.iterdir()} == {".json", ".parquet"}


def test_a_night_stays_whatever_its_points_become(project: Path) -> None:
    spec, results, first = begin(project)
    assert nights.keep(results, spec.points, first) is None
    point, other, *_ = spec.points
    finish(results, point, first, 1.0)
    night = nights.keep(results, spec.points, first)
    assert night is not None
    finish(results, point, "later", 2.0)
    finish(results, other, "later", 3.0)
    assert estimates(night) == {point: 1.0} and json.loads((night / f"{point}.json").read_text())["commit"] == first
    assert estimates(results.folder) == {point: 2.0, other: 3.0}


def test_a_clone_is_brought_up_to_date_where_that_is_an_addition(project: Path) -> None:
    clone = project.with_name("clone")
    git.run(project, "clone", "--quiet", str(project), str(clone))
    toy.edit(project, "heat: 1.0}", "heat: 3.0}")
    git.fast_forward(clone)
    assert git.clean_head(clone) == git.clean_head(project)
    toy.edit(project, "heat: 3.0}", "heat: 4.0}")
    params = clone / "params.yaml"
    params.write_text(params.read_text() + "# mine\n")
    with pytest.raises(InvalidRequest, match=r"^params.yaml: changed since the last commit; "):
        git.fast_forward(clone)
    toy.commit(clone)
    with pytest.raises(InvalidRequest, match=r"^git pull --quiet --ff-only: .*; bring the clone up to date") as refused:
        git.fast_forward(clone)
    assert "\n" not in str(refused.value)
