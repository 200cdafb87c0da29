"""Components that were put in come out, and the mean's interval covers for trainings and photographs drawn anew."""

import numpy as np
import pytest

from stages.evaluation.statistics import interval
from stages.evaluation.variance import spread


def drawn(
    rng: np.random.Generator,
    sizes: tuple[int, int, int, int],
    stds: tuple[float, float, float, float],
) -> tuple[np.ndarray, list[str]]:
    """values_TIK; sizes: trainings, photographs, crops, samples; stds: trainings, photographs, both, samples."""
    trainings, photographs, crops, samples = sizes
    own_T, own_P = stds[0] * rng.normal(size=(trainings, 1, 1)), stds[1] * rng.normal(size=(1, photographs, 1))
    both_TP = stds[2] * rng.normal(size=(trainings, photographs, 1))
    image_TI1 = (own_T + own_P + both_TP).repeat(crops, axis=1)
    values_TIK = image_TI1 + stds[3] * rng.normal(size=(trainings, photographs * crops, samples))
    return values_TIK, [f"p{i // crops}" for i in range(photographs * crops)]


def test_components_that_were_put_in_come_out() -> None:
    stds, rng = (0.5, 2.0, 0.7, 1.5), np.random.default_rng(0)
    told = [spread(*drawn(rng, (6, 60, 1, 4), stds)) for _ in range(300)]
    found = [[one.std_trainings, one.std_images, one.std_both, one.std_samples] for one in told]
    assert np.square(found).mean(axis=0) == pytest.approx(np.square(stds), rel=0.08)


def test_crops_of_a_photograph_are_not_taken_for_trainings() -> None:
    """Eight crops that share what a training does to their photograph, and trainings that do not differ."""
    rng = np.random.default_rng(0)
    told = [drawn(rng, (4, 12, 8, 2), (0.0, 1.0, 1.0, 0.5)) for _ in range(300)]
    together = np.mean([spread(values_TIK, names).std_trainings ** 2 for values_TIK, names in told])
    alone = np.mean([spread(values_TIK, list(map(str, range(96)))).std_trainings ** 2 for values_TIK, _ in told])
    assert together < 0.05 < 0.06 < alone  # floored at 0, the mean is above it


def test_one_value_a_training_and_image_tells_no_samples() -> None:
    told = spread(*drawn(np.random.default_rng(0), (3, 200, 1, 1), (0.0, 1.0, 0.6, 0.8)))
    assert np.isnan(told.std_samples) and told.std_both == pytest.approx(1.0, rel=0.1)


@pytest.mark.parametrize(
    ("sizes", "stds"),
    [
        ((3, 30, 2, 2), (0.5, 1.0, 0.3, 1.0)),
        ((5, 40, 1, 4), (0.2, 1.0, 0.5, 1.0)),
        ((3, 30, 1, 2), (0.0, 1.0, 0.0, 1.0)),
        ((4, 25, 3, 1), (0.3, 0.0, 1.0, 0.0)),
    ],
    ids=["trainings", "mixed", "images alone", "no main effect of images"],
)
def test_the_means_interval_covers(sizes: tuple[int, int, int, int], stds: tuple[float, float, float, float]) -> None:
    rng = np.random.default_rng(1)
    told = [spread(*drawn(rng, sizes, stds)) for _ in range(1000)]
    assert 0.90 <= np.mean([one.low <= 0.0 <= one.high for one in told]) <= 0.99


def test_an_interval_over_images_alone_would_not_cover_where_trainings_differ() -> None:
    rng, covered = np.random.default_rng(0), []
    for _ in range(300):
        values_TIK, names = drawn(rng, (3, 30, 1, 2), (0.5, 1.0, 0.3, 1.0))
        one = interval(values_TIK.mean(axis=(0, 2)), names)
        covered.append(one.low <= 0.0 <= one.high)
    assert np.mean(covered) < 0.90
