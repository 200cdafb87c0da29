"""Points that differ by their trainings' seeds alone are one row a score; others are not."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stages.evaluation.scores import per_image
from stages.evaluation.sweeps import points, trainings
from tests.evaluation.sweeps.made import ALPHA, CARD, finish

SEED = "methods.latent_codes.prior.loop.seed"
PSNR = {0: 20.0, 1: 20.5, 2: 21.0}  # by seed


def seeds(folder: Path, **of: float) -> Path:
    for seed, psnr in PSNR.items():
        finish(folder / "seeds", f"seed={seed}{of}", {SEED: seed, **({ALPHA: of["alpha"]} if of else {})}, psnr)
    return folder / "seeds"


def test_the_spreads_that_were_put_in_come_out_of_a_sweep(tmp_path: Path) -> None:
    rows = trainings.rows(points.read(seeds(tmp_path))).set_index("metric")
    psnr, swept = rows.loc["psnr"], points.read(tmp_path / "seeds")
    means = [per_image(point.long, "psnr", "all")["value"].mean() for point in swept.points]
    assert psnr["estimate"] == pytest.approx(np.mean(means)) and (psnr["trainings"], psnr["n"], psnr["values"]) == (
        3,
        40,
        (),
    )
    hard = np.random.default_rng(0).normal(0, 8, 40)  # as `finish` has them
    assert psnr["std_trainings"] == pytest.approx(0.5, abs=0.05)
    assert psnr["std_images"] == pytest.approx(hard.std(ddof=1), rel=0.02)
    assert psnr["std_samples"] == pytest.approx(0.2, abs=0.03) and psnr["std_both"] < 0.1
    assert psnr["low"] < psnr["estimate"] < psnr["high"]


def test_a_number_of_the_whole_set_has_its_trainings_spread_alone(tmp_path: Path) -> None:
    rows = trainings.rows(points.read(seeds(tmp_path))).set_index("metric")
    assert rows.loc["fd_alexnet", "std_trainings"] == 0.0 and np.isnan(rows.loc["fd_alexnet", "std_images"])


def test_other_keys_make_groups_and_a_point_alone_is_of_none(tmp_path: Path) -> None:
    for alpha in (0.25, 0.5):
        seeds(tmp_path, alpha=alpha)
    finish(tmp_path / "seeds", "alone", {SEED: 0, ALPHA: 1.0}, 20.0)
    rows = trainings.rows(points.read(tmp_path / "seeds"))
    assert set(rows["values"]) == {("0.25",), ("0.5",)} and set(rows["trainings"]) == {3}


def test_a_seed_of_samples_is_no_trainings_seed(tmp_path: Path) -> None:
    for seed in (0, 1):
        finish(tmp_path / "drawn", f"{seed}", {"testsets.centre.seed": seed}, 20.0)
    assert trainings.rows(points.read(tmp_path / "drawn")).empty


@pytest.mark.parametrize("selection", ["first", "best_of_k"])
def test_one_sample_an_image_enters_where_the_protocol_selects_one(tmp_path: Path, selection: str) -> None:
    for seed, psnr in PSNR.items():
        card = replace(CARD, selection=selection)  # type: ignore[arg-type]
        finish(tmp_path / "seeds", f"{seed}", {SEED: seed}, psnr, card=card)
    swept = points.read(tmp_path / "seeds")
    psnr = trainings.rows(swept).set_index("metric").loc["psnr"]
    means = [per_image(point.long, "psnr", selection)["value"].mean() for point in swept.points]  # type: ignore[arg-type]
    assert psnr["estimate"] == pytest.approx(np.mean(means)) and np.isnan(psnr["std_samples"])
