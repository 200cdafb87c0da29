"""Intervals cover, permutations keep their level, Holm's steps are Holm's."""

import numpy as np
import pytest

from stages.evaluation.statistics import holm, interval, paired

ROUNDS = 1500


def clustered(rng: np.random.Generator, clusters: int, mean: float = 0.0) -> tuple[np.ndarray, list[str]]:
    """Values of 1 to 12 crops a photograph that share their photograph's (skewed) effect."""
    sizes = rng.integers(1, 13, clusters)
    effects = rng.gamma(2.0, 1.0, clusters) - 2.0
    values = [mean + effect + 0.5 * rng.normal(size=size) for size, effect in zip(sizes, effects, strict=True)]
    return np.concatenate(values), [str(c) for c, size in enumerate(sizes) for _ in range(size)]


@pytest.mark.parametrize("clusters", [8, 20, 60])
def test_a_nominal_95_percent_interval_covers_about_as_often(clusters):
    rng = np.random.default_rng(clusters)
    told = [interval(*clustered(rng, clusters)) for _ in range(ROUNDS)]
    assert 0.90 <= np.mean([one.low <= 0.0 <= one.high for one in told]) <= 0.99


def test_a_percentile_bootstrap_of_few_clusters_would_not():
    rng = np.random.default_rng(0)
    covered = []
    for _ in range(400):
        values_N, names = clustered(rng, 8)
        groups = [values_N[np.asarray(names) == name] for name in dict.fromkeys(names)]
        sums, counts = np.array([g.sum() for g in groups]), np.array([g.size for g in groups])
        picked = rng.integers(0, 8, (300, 8))
        low, high = np.quantile(sums[picked].sum(axis=1) / counts[picked].sum(axis=1), (0.025, 0.975))
        covered.append(low <= 0.0 <= high)
    assert np.mean(covered) < 0.90


def test_crops_of_one_photograph_are_not_independent_images():
    values = np.repeat([1.0, 2.0, 3.0, 4.0], 25)
    alone = interval(values, [str(i) for i in range(100)])
    together = interval(values, [str(i // 25) for i in range(100)])
    assert together.high - together.low > 5 * (alone.high - alone.low)
    assert (together.n, together.clusters, together.estimate) == (100, 4, 2.5)


def test_one_source_allows_no_interval_and_nan_is_left_out():
    told = interval([1.0, 2.0, np.nan], ["a", "a", "b"])
    assert told.estimate == 1.5 and np.isnan(told.low) and told.n == 2
    assert interval([], []).n == 0


def test_independent_images_give_students_interval():
    values = np.random.default_rng(0).normal(size=10)
    told = interval(values, list("abcdefghij"))
    assert told.high - told.low == pytest.approx(2 * 2.262157 * values.std(ddof=1) / 10**0.5, rel=1e-6)


def test_without_a_difference_p_is_uniform():
    rng = np.random.default_rng(1)
    p_values = []
    for _ in range(200):
        values_N, names = clustered(rng, 20)
        p_values.append(paired(values_N * rng.choice((-1, 1)), np.zeros_like(values_N), names).p)
    assert 0.01 <= np.mean(np.array(p_values) <= 0.05) <= 0.11


def test_a_difference_is_found_and_signed():
    values_N, names = clustered(np.random.default_rng(2), 30)
    told = paired(values_N + 1.0, values_N, names)
    assert told.difference == pytest.approx(1.0) and told.p == pytest.approx(1e-4)
    assert paired(values_N, values_N, names).p == 1.0


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]).tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.9]).tolist() == [1.0, 1.0]
