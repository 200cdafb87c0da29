"""The best of k is the mean over all subsets of size k, from `all` at k = 1 to `best_of_k` at k = K."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from stages.evaluation import scores
from stages.evaluation.best_of_k import chances, curves

IMAGES, SAMPLES = 6, 5


@pytest.fixture
def long() -> pd.DataFrame:
    index = pd.MultiIndex.from_product([["psnr", "l1"], list("fedcba"), range(SAMPLES)], names=["metric", "image", "k"])
    value = np.random.default_rng(0).random(len(index))
    frame = pd.Series(value, index, name="value").reset_index()
    return frame.assign(source=frame["image"].str.replace("f", "e"))


def test_it_is_the_mean_over_all_subsets(long):
    told = curves(long, ["l1", "diversity_pixel"]).set_index("k")["estimate"]
    grids = {
        metric: rows.pivot_table(index="image", columns="k", values="value") for metric, rows in long.groupby("metric")
    }
    psnr_NK, l1_NK = grids["psnr"].to_numpy(), grids["l1"].to_numpy()
    for k in range(1, SAMPLES + 1):
        best = [
            l1_NK[i, max(chosen, key=lambda j, i=i: psnr_NK[i, j])]
            for i in range(IMAGES)
            for chosen in combinations(range(SAMPLES), k)
        ]
        assert told[k] == pytest.approx(np.mean(best))


def test_its_ends_are_the_selections_all_and_best_of_k_with_their_intervals(long):
    told = curves(long, ["psnr", "l1"]).set_index(["metric", "k"])
    for k, selection in ((1, "all"), (SAMPLES, "best_of_k")):
        summary = scores.summarise(long, selection, {}, SAMPLES).set_index("metric")
        for metric in ("psnr", "l1"):
            columns = ["estimate", "low", "high"]
            assert told.loc[(metric, k), columns].tolist() == pytest.approx(summary.loc[metric, columns].tolist())


@pytest.mark.parametrize("samples", [1, 2, 7, 100])
def test_chances_are_chances_and_fall_with_rank(samples):
    chances_KR = chances(samples)
    assert chances_KR.sum(axis=1) == pytest.approx(np.ones(samples)) and (np.diff(chances_KR, axis=1) <= 0).all()


def test_without_psnr_or_with_one_sample_there_is_no_curve(long):
    assert curves(long[long["metric"] == "l1"], ["l1"]).empty
    assert curves(long[long["k"] == 0], ["l1"]).empty
