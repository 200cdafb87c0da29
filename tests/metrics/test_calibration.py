"""Ranks of originals among samples, and the spread-skill ratio: defined as said, and right of known posteriors."""

import itertools
from functools import partial

import numpy as np
import pytest
import torch

from stages.contract import UserError
from stages.metrics import calibration, energy, spread_skill
from stages.metrics.core import subsampling
from stages.metrics.core.batch import EvalBatch
from stages.metrics.core.contract import MetricContext, TooFewError
from tests.metrics import known_posterior
from tests.metrics.conftest import MakeBatch
from tests.metrics.rows import rows
from tests.metrics.test_diversity import in_batches, last, repeated

CONTEXT = MetricContext(torch.device("cpu"), images=2)
MODULES = {"calibration": calibration, "spread_skill": spread_skill, "energy": energy}


def ranks(name: str, *batches: EvalBatch) -> torch.Tensor:
    return last(calibration.build(CONTEXT, name), list(batches))[name]


def ratio(shown: EvalBatch, images: range | None = None) -> float:
    metric = spread_skill.build(CONTEXT, "spread_skill_pixel")
    seen, images_M = rows(metric, [shown]), torch.tensor(images or range(len(shown.image_BCHW)))
    return metric.among(seen, images_M, torch.zeros(1, len(images_M)))["spread_skill_pixel"]


def test_a_rank_is_the_share_of_the_others_that_lie_nearer(make_batch: MakeBatch) -> None:
    shown = make_batch(samples=8)
    hole_HW = shown.known_B1HW[0, 0] == 0
    image_BD, x_BKD = (x[..., hole_HW].flatten(-2) for x in (shown.image_BCHW, shown.judged_BKCHW))
    expected_BK = torch.zeros(2, 8)
    for b, k, other in itertools.product(range(2), range(8), range(8)):
        nearer = (x_BKD[b, other] - x_BKD[b, k]).norm() < (image_BD[b] - x_BKD[b, k]).norm()
        expected_BK[b, k] += float(nearer and other != k) / 8
    for size in (3, 8):
        assert torch.allclose(ranks("calibration_pixel", *in_batches(shown, size)).float(), expected_BK + 1 / 16)


def test_copies_of_one_guess_never_enclose_the_original(make_batch: MakeBatch) -> None:
    shown = repeated(make_batch(samples=8))
    assert ranks("calibration_pixel", shown).unique().tolist() == [15 / 16]
    assert ratio(shown) == 0.0


def test_copies_of_the_original_are_ties_which_count_half(make_batch: MakeBatch) -> None:
    shown = make_batch(samples=8)
    same_BKCHW = shown.image_BCHW[:, None].expand(-1, 8, -1, -1, -1)
    found = EvalBatch(shown.image_BCHW, shown.known_B1HW, same_BKCHW, same_BKCHW, 0, 8)
    assert ranks("calibration_pixel", found).unique().tolist() == [0.5]
    assert np.isnan(ratio(found))


def test_an_image_without_a_hole_has_no_rank_and_does_not_enter_the_ratio(make_batch: MakeBatch) -> None:
    shown = make_batch(samples=8)
    known_B1HW = shown.known_B1HW.clone()
    known_B1HW[1] = 1.0
    part = EvalBatch(shown.image_BCHW, known_B1HW, shown.judged_BKCHW, shown.judged_BKCHW, 0, 8)
    found_BK = ranks("calibration_pixel", part)
    assert found_BK[0].isfinite().all() and found_BK[1].isnan().all()
    assert ratio(part) == pytest.approx(ratio(shown, range(1)))


def test_the_ratio_is_its_definition(make_batch: MakeBatch) -> None:
    shown = make_batch(samples=8)
    hole_HW = shown.known_B1HW[0, 0] == 0
    image_BD, x_BKD = (x[..., hole_HW].flatten(-2).double() for x in (shown.image_BCHW, shown.judged_BKCHW))
    spread = x_BKD.var(dim=1, correction=1).sum(dim=1).mean() * (1 + 1 / 8)
    skill = (x_BKD.mean(dim=1) - image_BD).square().sum(dim=1).mean()
    assert ratio(shown) == pytest.approx(float((spread / skill) ** 0.5), rel=1e-5)


@pytest.mark.parametrize(
    ("sampler", "word"),
    [("exact", "fits"), ("shrunken", "too narrow"), ("widened", "too wide"), ("shifted", "too narrow")],
)
def test_a_known_posterior_fits_and_others_are_called_what_they_are(sampler: str, word: str) -> None:
    found = known_posterior.ranks(known_posterior.pixels, images=200, samples=16, sampler=sampler, seed=0)
    assert known_posterior.told(found) == word
    assert (found.p() < 1e-3) == (word != "fits")


@pytest.mark.parametrize(("sampler", "word"), [("exact", "fits"), ("shrunken", "too narrow"), ("widened", "too wide")])
def test_in_lpips_embedding_too(sampler: str, word: str, backbones: object) -> None:
    def metric() -> calibration.Calibration:
        return calibration.build(CONTEXT, "calibration_lpips_squeeze")

    found = known_posterior.ranks(metric, images=60, samples=8, sampler=sampler, seed=1, side=32)
    assert known_posterior.told(found) == word


@pytest.mark.parametrize("sampler", known_posterior.SAMPLERS)
def test_the_ratio_tells_the_scale_of_a_known_posterior(sampler: str) -> None:
    scale, shift = known_posterior.SAMPLERS[sampler]
    shown = known_posterior.batch(400, 16, sampler, seed=0)
    # the mean of 16 errs by its own noise, by the shift, and by what the posterior leaves open
    expected = scale * ((1 + 1 / 16) / (1 + shift**2 + scale**2 / 16)) ** 0.5
    assert ratio(shown) == pytest.approx(expected, rel=0.03)


def _among(metric: spread_skill.SpreadSkill, seen: dict[str, torch.Tensor], images_M: np.ndarray) -> float:
    return metric.among(seen, torch.from_numpy(images_M), torch.zeros(1, 60))["spread_skill_pixel"]


def test_the_ratios_interval_covers_it() -> None:
    names, sets, hits = list(map(str, range(60))), torch.zeros(1, 60), 0
    for seed in range(200):
        x_BND = torch.randn(60, 9, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        metric = spread_skill.build(CONTEXT, "spread_skill_pixel")
        seen = {"spread_skill_pixel": spread_skill.squares(torch.cdist(x_BND, x_BND))}
        number = partial(_among, metric, seen)
        low, high = subsampling.interval(number, metric.whole(seen, sets)["spread_skill_pixel"], names)
        hits += low <= 1.0 <= high
    assert 0.90 <= hits / 200 <= 0.99


@pytest.mark.parametrize("name", ["calibration_pixel", "calibration_lpips_vgg", "spread_skill_pixel"])
def test_fewer_than_eight_samples_are_refused_in_one_line(name: str) -> None:
    module = MODULES[name.rsplit("_lpips", 1)[0].removesuffix("_pixel")]
    with pytest.raises(TooFewError, match=f"^{name} needs at least 8 samples an image, and here are 7$"):
        module.build(MetricContext(torch.device("cpu"), images=2, samples=7), name)


@pytest.mark.parametrize("metric", MODULES)
def test_an_unknown_space_is_the_users_mistake(metric: str) -> None:
    with pytest.raises(UserError, match=f"metric {metric}_colour: write {metric}_pixel or {metric}_lpips_<net>"):
        MODULES[metric].build(CONTEXT, f"{metric}_colour")
