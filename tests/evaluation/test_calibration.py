"""What is made of ranks: the curve is TARP's, the error's interval covers, p keeps its level, the word follows them."""

import numpy as np
import pandas as pd
import pytest
import torch

from stages.evaluation import calibration
from stages.evaluation.calibration import Ranks, all_zero
from stages.metrics.calibration import ranks


def drawn(rng: np.random.Generator, photographs: int, crops: int = 1, samples: int = 8, scale: float = 1.0) -> Ranks:
    """Of originals in five dimensions; the crops of a photograph have almost the same one, and samples of their own."""
    shared_BD = rng.standard_normal((photographs, 5)).repeat(crops, axis=0)
    original_BD = (0.95 * shared_BD + (1 - 0.95**2) ** 0.5 * rng.standard_normal(shared_BD.shape)) / scale
    x_BND = np.concatenate([original_BD[:, None], rng.standard_normal((len(shared_BD), samples, 5))], axis=1)
    between_BNN = torch.cdist(torch.from_numpy(x_BND), torch.from_numpy(x_BND))
    sources = [f"s{i // crops}" for i in range(len(shared_BD))]
    return Ranks(ranks(between_BNN).numpy(), tuple(sources))


def test_the_curve_is_the_share_of_ranks_below_each_level() -> None:
    found = drawn(np.random.default_rng(0), 50, samples=8)
    levels_M, coverage = found.curve()
    assert levels_M.tolist() == pytest.approx([m / 8 for m in range(1, 8)])
    expected = [np.mean(found.ranks_NK < level) for level in levels_M]  # ranks lie between levels
    assert [one.estimate for one in coverage] == pytest.approx(expected)
    assert found.error()[0] == pytest.approx(np.abs(np.array(expected) - levels_M).mean())


def test_an_equal_distance_covers_half() -> None:
    covered_NM, levels_M = calibration.covered(np.full((3, 8), 0.5))
    assert covered_NM.tolist() == [[0, 0, 0, 0.5, 1, 1, 1]] * 3 and levels_M[3] == 0.5


def test_many_samples_have_a_curve_of_twenty_levels_and_an_error_of_all() -> None:
    found = drawn(np.random.default_rng(0), 30, samples=64)
    levels_M, coverage = found.curve()
    assert len(levels_M) == len(coverage) == 20 and (levels_M[0], levels_M[-1]) == (1 / 64, 63 / 64)


@pytest.mark.parametrize("crops", [1, 4])
def test_calibrated_samples_have_a_uniform_p(crops: int) -> None:
    rng = np.random.default_rng(crops)
    p_values = np.array([drawn(rng, 40, crops).p() for _ in range(400)])
    for level in (0.05, 0.25, 0.5):
        assert np.mean(p_values <= level) == pytest.approx(level, abs=0.06)
    assert 0.02 <= np.mean(p_values <= 0.05) <= 0.09


def test_crops_taken_as_photographs_would_not_keep_the_level() -> None:
    rng = np.random.default_rng(0)
    found = [drawn(rng, 25, crops=6) for _ in range(200)]
    alone = [Ranks(one.ranks_NK, tuple(map(str, range(150)))).p() for one in found]
    assert np.mean(np.array(alone) <= 0.05) > 0.2


@pytest.mark.parametrize("scale", [0.7, 1.4])
def test_the_errors_and_the_mean_ranks_intervals_cover(scale: float) -> None:
    rng = np.random.default_rng(1)
    truth = [(one.error()[0], one.mean().estimate) for one in (drawn(rng, 60, 2, scale=scale) for _ in range(300))]
    error, mean = np.mean(truth, axis=0)
    hits = []
    for _ in range(200):
        found = drawn(rng, 60, 2, scale=scale)
        _, low, high = found.error()
        hits.append((low <= error <= high, found.mean().low <= mean <= found.mean().high))
    assert all(0.90 <= share <= 0.99 for share in np.mean(hits, axis=0))


def test_one_picture_is_certainly_not_calibrated() -> None:
    assert Ranks(np.full((30, 8), 15 / 16), tuple(map(str, range(30)))).p() < 1e-12


def test_the_word_follows_p_the_mean_rank_and_the_number_of_photographs() -> None:
    assert [calibration.word(*one) for one in ((0.05, 0.9, 20), (0.049, 0.51, 20), (0.049, 0.49, 20))] == [
        "fits",
        "too narrow",
        "too wide",
    ]
    assert "too few" in calibration.word(0.001, 0.9, 19) and "too few" in calibration.word(np.nan, 0.5, 20)


def test_means_of_few_clusters_have_no_p() -> None:
    values_ND = np.random.default_rng(0).normal(size=(6, 2))
    assert np.isnan(all_zero(values_ND, list("aabbcc"))) and np.isfinite(all_zero(values_ND, list("aabbcd")))


def test_a_long_tables_ranks_are_read_by_space_without_images_that_have_none() -> None:
    rows = [(f"i{i}", f"s{i // 2}", k, i / 10 + k / 100) for i in range(4) for k in range(8)]
    frame = pd.DataFrame(rows, columns=["image", "source", "k", "value"]).assign(metric="calibration_pixel")
    frame.loc[frame["image"] == "i3", "value"] = np.nan
    ((space, found),) = calibration.read(pd.concat([frame, frame.assign(metric="psnr")]))
    assert (space, found.sources, found.ranks_NK.shape) == ("pixel", ("s0", "s0", "s1"), (3, 8))
    assert found.ranks_NK[2, 5] == pytest.approx(0.25)
    assert set(calibration.numbers(frame)) == {"calibration_error_pixel", "calibration_p_pixel"}
