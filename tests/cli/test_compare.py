"""`plurifill compare`: the table of a sweep's points, what it leaves, and the user's mistakes."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from stages.cli import compare
from stages.contract import UserError
from stages.pages import labels
from stages.project import tables
from tests.evaluation.sweeps.made import ALPHA, finish, give_up, keep

TOOK = {"parameters": 1_200_345, "seconds": 61.2, "steps": 300, "skipped_steps": 2}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a finished sweep of alpha; params.yaml says 0.5."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PLURIFILL_REPORTS", raising=False)
    with Path("params.yaml").open("w") as file:
        YAML().dump({"methods": {"latent_codes": {"token_mask": {"alpha": 0.5}}}}, file)
    for value, psnr in ((0.25, 20.0), (0.5, 20.0), (1.0, 21.0)):
        finish(Path("reports/sweeps/alpha"), f"alpha={value}", {ALPHA: value}, psnr)
    return tmp_path


def test_every_point_has_its_line_and_a_sure_difference_its_star(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    compare.main("alpha")
    said = capsys.readouterr().out
    psnr = said[said.index("latent_codes under centre: psnr, higher is better, 40 images of 20 sources") :]
    lines = {line.split()[0]: line.split() for line in psnr.splitlines()[2:5]}
    assert [cells[1] for cells in lines.values()] == ["0.25", "0.5", "1"]
    assert "*" in lines["alpha=1.0"] and "*" not in lines["alpha=0.25"]
    assert "differences are from alpha=0.5" in said
    assert said.count("fd_alexnet") == 1


def test_points_that_were_stopped_have_a_line(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    give_up(Path("reports/sweeps/alpha"), "alpha=0.75", {ALPHA: 0.75}, 200, 0.25)
    compare.main("alpha")
    assert "stopped early: alpha=0.75: at step 200, its val lpips of vq 0.25" in capsys.readouterr().out.splitlines()


def test_what_was_trained_for_a_point_is_told(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    compare.main("alpha")
    assert "trainings;" not in capsys.readouterr().out
    finish(Path("reports/sweeps/alpha"), "alpha=0.5", {ALPHA: 0.5}, 20.0, trainings={"latent_codes/vq": TOOK})
    compare.main("alpha")
    (row,) = [line.split() for line in capsys.readouterr().out.splitlines() if "latent_codes/vq" in line]
    assert row == ["alpha=0.5", "latent_codes/vq", "1,200,345", "61", "300", "2"]


@pytest.mark.parametrize(
    "trainings",
    [
        "many",
        {"latent_codes/vq": 5},
        {"latent_codes/vq": {"parameters": "many"}},
        {"latent_codes/vq": TOOK | {"steps": -1}},
        {"latent_codes/vq": TOOK | {"seconds": 10**400}},
    ],
)
def test_a_note_whose_trainings_are_none_is_named(project: Path, trainings: object) -> None:
    finish(Path("reports/sweeps/alpha"), "alpha=0.5", {ALPHA: 0.5}, 20.0, trainings=trainings)  # type: ignore[arg-type]
    with pytest.raises(UserError, match=r"alpha=0\.5\.json: no note"):
        compare.main("alpha")


def test_trainings_that_differ_by_their_seed_are_told_together_first(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for alpha in (0.25, 1.0):
        for seed in (0, 1, 2):
            overrides = {ALPHA: alpha, "methods.latent_codes.prior.loop.seed": seed}
            finish(Path("reports/sweeps/both"), f"{alpha}-{seed}", overrides, 20 + alpha + seed)
    compare.main("both", metric=["psnr"])
    said = capsys.readouterr().out
    head, *rows = said[said.index("psnr over seeds") :].splitlines()[1:4]
    assert head.split()[:3] == ["alpha", "trainings", "mean"]
    assert [row.split()[:2] for row in rows] == [["0.25", "3"], ["1", "3"]]
    means = tables.read(Path("reports/sweeps/both/compared/curve")).groupby(ALPHA)["estimate"].mean()
    kept = tables.read(Path("reports/sweeps/both/compared/trainings"))
    assert kept["estimate"].tolist() == pytest.approx(means.tolist())
    assert kept["std_trainings"].tolist() == pytest.approx([1.0, 1.0], abs=0.05)
    for row, mean, std in zip(rows, means, kept["std_trainings"], strict=True):
        assert row.split()[2] == labels.number(mean) and row.split()[-4] == labels.number(std)
    assert said.index("psnr over seeds") < said.index("psnr, higher is better")


def test_the_curve_and_the_pairs_are_left_beside_the_points(project: Path) -> None:
    compare.main("alpha", metric=["psnr"], reference="alpha=0.25")
    curve = tables.read(Path("reports/sweeps/alpha/compared/curve"))
    assert curve[ALPHA].tolist() == [0.25, 0.5, 1.0] and set(curve["metric"]) == {"psnr"}
    assert (curve["low"] < curve["estimate"]).all() and (curve["estimate"] < curve["high"]).all()
    pairs = tables.read(Path("reports/sweeps/alpha/compared/pairs"))
    assert set(pairs["reference"]) == {"alpha=0.25"} and set(pairs["point"]) == {"alpha=0.5", "alpha=1.0"}
    compare.main("alpha")  # what it leaves is no point of the sweep
    assert len(tables.read(Path("reports/sweeps/alpha/compared/curve"))) == 6


def test_points_of_two_commits_are_told(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    finish(Path("reports/sweeps/alpha"), "alpha=0.75", {ALPHA: 0.75}, 20.0, commit="decade")
    compare.main("alpha")
    assert "the points are of 2 commits: c0ffee, decade" in capsys.readouterr().out


def test_what_all_points_completed_is_told_once(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    compare.main("alpha")
    before = capsys.readouterr().out
    for value in (0.25, 0.5, 1.0):
        keep(Path("reports/sweeps/alpha"), f"alpha={value}", {"structures": "0123456789abcdef"})
    compare.main("alpha")
    line = "All points complete the same structures (sha 01234567).\n"
    after = capsys.readouterr().out
    assert after.count(line) == 1 and after.replace(line, "") == before


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"sweep": "alfa"}, "no finished point of such a sweep; did you mean alpha"),
        ({"sweep": "alpha", "metric": ["psrn"]}, "--metric psrn: .* did you mean psnr"),
        ({"sweep": "alpha", "protocol": ["center"]}, "--protocol center: .* did you mean centre"),
        ({"sweep": "alpha", "reference": "alpha=2.0"}, "no finished point alpha=2.0; did you mean"),
    ],
)
def test_a_misspelt_name_is_one_line(project: Path, options: dict[str, object], line: str) -> None:
    with pytest.raises(UserError, match=line) as told:
        compare.main(**options)  # type: ignore[arg-type]
    assert "\n" not in str(told.value)
