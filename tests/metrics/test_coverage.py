"""What the intervals of set-level numbers cover: 90 to 99 of 100 simulated experiments at a nominal 95 %."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from stages.metrics.core.frechet import fit, frechet
from stages.metrics.core.kernel import in_blocks
from stages.metrics.core.subsampling import interval

Draw = Callable[[np.random.Generator], tuple[NDArray, NDArray]]
Number = Callable[[NDArray, NDArray], float]


def pairs(count: int, width: int, shift: float, scale: float, a_photograph: int = 1) -> Draw:
    """Features of images and of completions that share half of their variance; `a_photograph` images share theirs."""

    def draw(rng: np.random.Generator) -> tuple[NDArray, NDArray]:
        photograph = rng.standard_normal((count // a_photograph, width)).repeat(a_photograph, axis=0)
        real = photograph + (rng.standard_normal((count, width)) if a_photograph > 1 else 0.0)
        fake = shift + scale * (0.7 * real + 0.7 * rng.standard_normal((count, width)))
        spectrum = np.arange(1, width + 1) ** -0.5  # features differ in spread, as a network's do
        return np.maximum(real, 0) * spectrum, np.maximum(fake, 0) * spectrum  # and are skewed, by a ReLU

    return draw


def distance(real_ND: NDArray, fake_ND: NDArray) -> float:
    return frechet(fit(torch.from_numpy(real_ND)), fit(torch.from_numpy(fake_ND)))


def kernel_distance(real_ND: NDArray, fake_ND: NDArray) -> float:
    return in_blocks(torch.from_numpy(real_ND), torch.from_numpy(fake_ND))


def covered(draw: Draw, clusters: list[str], experiments: int, number: Number = distance) -> float:
    """The share of experiments whose interval holds the mean of the number at this n."""
    rng = np.random.default_rng(0)
    truth = np.mean([number(*draw(rng)) for _ in range(250)])
    hits = 0
    for _ in range(experiments):
        real_ND, fake_ND = draw(rng)
        on = lambda i_N, real_ND=real_ND, fake_ND=fake_ND: number(real_ND[i_N], fake_ND[i_N])  # noqa: E731
        low, high = interval(on, number(real_ND, fake_ND), clusters)
        hits += low <= truth <= high
    return hits / experiments


@pytest.mark.parametrize(
    ("draw", "a_photograph"),
    [
        (pairs(120, 6, shift=0.4, scale=1.0), 1),
        (pairs(120, 6, shift=0.0, scale=1.4), 1),
        (pairs(120, 6, shift=0.3, scale=1.2, a_photograph=4), 4),
    ],
    ids=["shifted", "wider", "four crops a photograph"],
)
def test_the_frechet_distances_interval_covers_its_mean(draw, a_photograph):
    clusters = [str(i // a_photograph) for i in range(120)]
    assert 0.90 <= covered(draw, clusters, 100) <= 0.99


@pytest.mark.parametrize("shift", [0.4, 0.1], ids=["far", "near"])
def test_the_kernel_distances_interval_covers_its_mean(shift):
    assert 0.90 <= covered(pairs(120, 6, shift, scale=1.2), [str(i) for i in range(120)], 200, kernel_distance) <= 0.99


@pytest.mark.long
def test_it_covers_at_the_least_n_of_alexnets_features():
    assert 0.90 <= covered(pairs(384, 256, shift=0.2, scale=1.1), [str(i) for i in range(384)], 200) <= 1.0


def test_where_both_sets_agree_it_is_too_wide_never_too_narrow():
    assert covered(pairs(120, 6, shift=0.0, scale=1.0), [str(i) for i in range(120)], 100) >= 0.90


def test_it_needs_four_photographs():
    def never(images_N: NDArray) -> float:
        raise AssertionError("nothing to split")

    assert np.isnan(interval(never, 1.0, ["a", "a", "b", "c"])).all()
