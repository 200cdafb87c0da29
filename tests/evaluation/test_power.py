"""The smallest difference that is seen is seen four times of five; adjusted p values are Benjamini and Hochberg's."""

import numpy as np
import pytest

from stages.evaluation.power import clusters_for, smallest
from stages.evaluation.statistics import benjamini_hochberg, interval, paired


def found(rng: np.random.Generator, difference: float, clusters: int) -> float:
    """How often the 95 % interval of a mean over `clusters` photographs of three crops each leaves out 0."""
    hits = 0
    for _ in range(1500):
        values = difference + rng.normal(size=clusters).repeat(3)
        told = interval(values + 0.1 * rng.normal(size=3 * clusters), [str(i // 3) for i in range(3 * clusters)])
        hits += told.low > 0.0 or told.high < 0.0
    return hits / 1500


@pytest.mark.parametrize("clusters", [8, 40])
def test_the_smallest_difference_is_found_four_times_of_five(clusters: int) -> None:
    assert found(np.random.default_rng(0), smallest(clusters**-0.5, clusters), clusters) == pytest.approx(0.8, abs=0.05)


@pytest.mark.parametrize("difference", [0.2, 0.6, 2.0])
def test_as_many_photographs_as_are_needed_show_a_difference_and_one_fewer_does_not(difference: float) -> None:
    count = int(clusters_for(difference, spread=1.0))
    assert smallest(count**-0.5, count) <= difference
    assert count == 2 or smallest((count - 1) ** -0.5, count - 1) > difference


def test_a_pair_tells_what_its_images_show_and_how_many_its_difference_needs() -> None:
    rng = np.random.default_rng(0)
    a, names = rng.normal(size=60).repeat(2) + 0.2, [str(i // 2) for i in range(120)]
    told = paired(a, np.zeros(120), names)
    assert told.detectable == pytest.approx(smallest(told.error, 60))
    assert told.needed == 2 * clusters_for(told.difference, a[::2].std(ddof=1))
    assert (told.needed > 120) == (abs(told.difference) < told.detectable)


def test_no_difference_needs_no_number_and_one_photograph_tells_nothing() -> None:
    assert np.isnan(paired([1.0, 2.0], [1.0, 2.0], ["a", "b"]).needed)
    alone = paired([1.0, 2.0], [0.0, 0.0], ["a", "a"])
    assert np.isnan(alone.detectable) and np.isnan(alone.needed)


def test_benjamini_hochberg_by_hand() -> None:
    assert benjamini_hochberg([0.01, 0.04, 0.03, 0.005]).tolist() == pytest.approx([0.02, 0.04, 0.04, 0.02])
    assert benjamini_hochberg([0.6, 0.9]).tolist() == pytest.approx([0.9, 0.9])


def test_of_what_is_called_a_twentieth_is_false() -> None:
    rng, shares = np.random.default_rng(0), []
    for _ in range(500):
        true = np.arange(40) < 20
        p_values = np.where(true, rng.beta(0.1, 8.0, 40), rng.uniform(size=40))
        called = benjamini_hochberg(p_values) < 0.05
        shares.append((called & ~true).sum() / max(1, called.sum()))
    assert np.mean(shares) <= 0.05 and np.mean(shares) == pytest.approx(0.025, abs=0.01)  # half are null
