"""The energy score is its formula over pairs, agrees with another package's, and rewards the true spread alone."""

import numpy as np
import pytest
import torch
from scoringrules import es_ensemble

from stages.evaluation.statistics import paired
from stages.metrics import energy
from stages.metrics.core import lpips_network
from stages.metrics.core.batch import EvalBatch
from stages.metrics.core.contract import MetricContext, TooFewError
from tests.metrics import known_posterior
from tests.metrics.conftest import MakeBatch
from tests.metrics.test_diversity import in_batches, last, repeated

CONTEXT = MetricContext(torch.device("cpu"), images=2)


def of(name: str, *batches: EvalBatch) -> torch.Tensor:
    return last(energy.build(CONTEXT, name), list(batches))[name]


def in_hole(batch: EvalBatch) -> tuple[np.ndarray, np.ndarray]:
    """Original (B, D) and completions (B, K, D) in the hole: percent of 255, over the root of D."""
    hole_HW = batch.known_B1HW[0, 0] == 0
    image_BD, judged_BKD = (x[..., hole_HW].flatten(-2) * 50.0 for x in (batch.image_BCHW, batch.judged_BKCHW))
    return image_BD.double().numpy() / image_BD.shape[1] ** 0.5, judged_BKD.double().numpy() / image_BD.shape[1] ** 0.5


@pytest.mark.parametrize("samples", [2, 5])
def test_in_pixels_it_is_another_packages_fair_score(samples: int, make_batch: MakeBatch) -> None:
    shown = make_batch(samples=samples)
    expected_B = es_ensemble(*in_hole(shown), estimator="fair", backend="numpy")
    for size in (1, samples):
        assert of("energy_pixel", *in_batches(shown, size)).numpy() == pytest.approx(expected_B, rel=1e-5)


def test_on_lpips_it_is_that_of_the_roots_of_lpips(backbones: object, make_batch: MakeBatch) -> None:
    shown, distance = make_batch(samples=3), lpips_network.distance("squeeze")
    assert distance is not None
    x_BKCHW = shown.judged_BKCHW
    apart = [distance(shown.image_BCHW, x_BKCHW[:, k]).double().sqrt() for k in range(3)]
    pairs = [distance(x_BKCHW[:, i], x_BKCHW[:, j]).double().sqrt() for i, j in ((0, 1), (0, 2), (1, 2))]
    expected_B = sum(apart) / 3 - sum(pairs) / 3 / 2
    assert torch.allclose(of("energy_lpips_squeeze", *in_batches(shown, 2)), expected_B, rtol=1e-4)


def test_copies_of_one_guess_score_its_distance(make_batch: MakeBatch) -> None:
    shown = repeated(make_batch())
    image_BD, judged_BKD = in_hole(shown)
    expected_B = np.linalg.norm(judged_BKD[:, 0] - image_BD, axis=1)
    assert of("energy_pixel", shown).numpy() == pytest.approx(expected_B, rel=1e-5)


def test_what_lies_outside_the_hole_counts_for_nothing(make_batch: MakeBatch) -> None:
    shown = make_batch()
    raw = EvalBatch(shown.image_BCHW, shown.known_B1HW, shown.raw_BKCHW, shown.raw_BKCHW, 0, 4)
    assert torch.equal(of("energy_pixel", shown), of("energy_pixel", raw))


def test_an_image_without_a_hole_has_no_score(make_batch: MakeBatch) -> None:
    shown = make_batch()
    whole = EvalBatch(shown.image_BCHW, torch.ones_like(shown.known_B1HW), shown.judged_BKCHW, shown.judged_BKCHW, 0, 4)
    assert of("energy_pixel", whole).isnan().all()


def test_the_mean_does_not_depend_on_how_many_samples_there_are() -> None:
    few, many = (of("energy_pixel", known_posterior.batch(400, k, "exact", seed=0)) for k in (2, 16))
    told = paired(few, many, list(map(str, range(400))))
    assert told.low < 0.0 < told.high and told.high - told.low < 0.1 * float(many.mean())


@pytest.mark.parametrize("sampler", ["shrunken", "widened", "shifted"])
def test_the_true_posterior_scores_better_than_any_other(sampler: str) -> None:
    exact, other = (of("energy_pixel", known_posterior.batch(400, 16, name, seed=0)) for name in ("exact", sampler))
    told = paired(exact, other, list(map(str, range(400))))
    assert told.difference < 0.0 and told.p < 0.01


def test_one_sample_is_refused_in_one_line() -> None:
    context = MetricContext(torch.device("cpu"), images=2, samples=1)
    for name in ("energy_pixel", "energy_lpips_vgg"):
        with pytest.raises(TooFewError, match=f"^{name} needs at least 2 samples an image, and here are 1$"):
            energy.build(context, name)
