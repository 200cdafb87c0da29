"""Diversity equals its definition over pairs, and the estimators are told apart."""

import itertools

import numpy as np
import pytest
import torch

from stages.contract import UserError
from stages.metrics import diversity
from stages.metrics.collapsed import Collapsed
from stages.metrics.core import lpips_network, pair_estimators
from stages.metrics.core.batch import EvalBatch
from stages.metrics.core.contract import MetricContext
from stages.metrics.core.pixel_diversity import PixelDiversity, mean_over_pairs

CONTEXT = MetricContext(torch.device("cpu"), images=2)


def in_batches(whole: EvalBatch, size: int) -> list[EvalBatch]:
    """The same completions, `size` at a time."""
    total = whole.raw_BKCHW.shape[1]
    return [
        EvalBatch(
            whole.image_BCHW,
            whole.known_B1HW,
            whole.raw_BKCHW[:, first : first + size],
            whole.judged_BKCHW[:, first : first + size],
            first,
            total,
        )
        for first in range(0, total, size)
    ]


def last(metric, batches: list[EvalBatch]) -> dict[str, torch.Tensor]:
    """What the metric gives with the last of the batches; nothing before."""
    *before, end = [dict(metric(batch)) for batch in batches]
    assert not any(before)
    return end


def repeated(batch: EvalBatch) -> EvalBatch:
    """All completions are the first one."""
    same_BKCHW = batch.judged_BKCHW[:, :1].expand_as(batch.judged_BKCHW)
    return EvalBatch(batch.image_BCHW, batch.known_B1HW, same_BKCHW, same_BKCHW, 0, batch.total)


def pair_loop(batch: EvalBatch, pairs: list[tuple[int, int]], net: str) -> torch.Tensor:
    """The lpips definition, a pair a call."""
    distance = lpips_network.distance(net)
    x_BKCHW = batch.judged_BKCHW
    return torch.stack([distance(x_BKCHW[:, i], x_BKCHW[:, j]).double() for i, j in pairs]).mean(dim=0)


@pytest.mark.parametrize("net", ["alex", "squeeze"])
@pytest.mark.parametrize("estimator", ["all", "consecutive", "five"])
def test_each_estimator_equals_its_pair_loop(estimator, net, backbones, make_batch):
    shown = make_batch(samples=6)
    pairs = {
        "all": list(itertools.combinations(range(6), 2)),
        "consecutive": [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)],
        "five": pair_estimators.five(6),
    }[estimator]
    name = f"diversity_{estimator}_{net}"
    value_B = last(diversity.build(CONTEXT, name), [shown])[name]
    assert torch.allclose(value_B, pair_loop(shown, pairs, net), rtol=1e-5)


@pytest.mark.parametrize("name", ["diversity_all_alex", "diversity_consecutive_alex", "diversity_five_alex"])
def test_it_does_not_depend_on_how_completions_are_grouped(name, backbones, make_batch):
    shown = make_batch(samples=7)
    whole_B = last(diversity.build(CONTEXT, name), [shown])[name]
    for size in (1, 3):
        assert torch.allclose(last(diversity.build(CONTEXT, name), in_batches(shown, size))[name], whole_B, rtol=1e-6)


def test_all_pairs_do_not_depend_on_order(backbones, make_batch):
    shown = make_batch(samples=6)
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    mixed = EvalBatch(shown.image_BCHW, shown.known_B1HW, shown.raw_BKCHW[:, order], shown.judged_BKCHW[:, order], 0, 6)
    values = [last(diversity.build(CONTEXT, "diversity_all_alex"), [v])["diversity_all_alex"] for v in (shown, mixed)]
    assert torch.allclose(*values, rtol=1e-6)


def test_in_the_hole_it_is_the_pair_loop_of_the_crops(backbones, make_batch):
    shown = make_batch(samples=4)
    whole = (shown.image_BCHW, shown.known_B1HW, shown.raw_BKCHW, shown.judged_BKCHW)
    crop = EvalBatch(*(x[..., 16:48, 8:48] for x in whole), 0, 4)
    name = "diversity_consecutive_alex_hole"
    value_B = last(diversity.build(CONTEXT, name), in_batches(shown, 3))[name]
    assert torch.allclose(value_B, pair_loop(crop, pair_estimators.consecutive(4), "alex"), rtol=1e-5)


def test_close_completions_do_not_cancel(backbones, make_batch):
    shown = make_batch(images=1, samples=4)
    near_BKCHW = shown.judged_BKCHW[:, :1] + torch.zeros(1, 4, 3, 64, 64)
    near_BKCHW[:, :, 0, 20, 20] += torch.tensor([0.0, 1.0, 2.0, 3.0]) / 127.5
    near = EvalBatch(shown.image_BCHW, shown.known_B1HW, near_BKCHW, near_BKCHW, 0, 4)
    value_B = last(diversity.build(CONTEXT, "diversity_all_alex"), [near])["diversity_all_alex"]
    expected_B = pair_loop(near, list(itertools.combinations(range(4), 2)), "alex")
    assert 0 < float(expected_B) < 1e-3
    assert torch.allclose(value_B, expected_B, rtol=1e-3)


def test_identical_samples_have_no_diversity(backbones, make_batch):
    shown = repeated(make_batch())
    for name in ("diversity_all_alex", "diversity_consecutive_alex", "diversity_five_alex"):
        assert last(diversity.build(CONTEXT, name), [shown])[name].tolist() == [0.0, 0.0]


def test_identical_samples_have_no_pixel_diversity_and_trip_the_collapse_check(make_batch):
    shown = repeated(make_batch())
    assert last(PixelDiversity(), [shown])["diversity_pixel"].tolist() == [0.0, 0.0]
    assert last(Collapsed(), [shown])["collapsed"].tolist() == [1.0, 1.0]


def test_one_pixel_off_by_two_levels_is_no_collapse(make_batch):
    shown = repeated(make_batch())
    one_BKCHW = shown.judged_BKCHW.clone()
    one_BKCHW[1, 3, 0, 20, 20] += 2 / 127.5
    other = EvalBatch(shown.image_BCHW, shown.known_B1HW, one_BKCHW, one_BKCHW, 0, 4)
    for size in (1, 3, 4):
        assert last(Collapsed(), in_batches(other, size))["collapsed"].tolist() == [1.0, 0.0]


def test_pixel_diversity_is_the_mean_over_pairs_in_the_hole(make_batch):
    shown = make_batch(samples=5)
    hole_HW = shown.known_B1HW[0, 0] == 0
    levels_BKCHW = (shown.judged_BKCHW + 1) * 127.5
    pairs = list(itertools.combinations(range(5), 2))
    apart = [(levels_BKCHW[:, i] - levels_BKCHW[:, j]).abs()[..., hole_HW].mean(dim=(1, 2)) / 2.55 for i, j in pairs]
    expected_B = torch.stack(apart).mean(dim=0).double()
    for size in (2, 5):
        value_B = last(PixelDiversity(), in_batches(shown, size))["diversity_pixel"]
        assert torch.allclose(value_B, expected_B, rtol=1e-5)


def test_mean_over_pairs_by_hand():
    levels_BKCHW = torch.tensor([0, 10, 3], dtype=torch.uint8).view(1, 3, 1, 1, 1)
    assert mean_over_pairs(levels_BKCHW).item() == pytest.approx((10 + 3 + 7) / 3)


def test_one_sample_has_no_diversity_to_speak_of(make_batch):
    shown = make_batch(samples=1)
    assert not PixelDiversity()(shown) and not Collapsed()(shown)


def test_five_pairs_are_of_distinct_completions_and_fixed():
    assert pair_estimators.five(10) == pair_estimators.five(10)
    assert all(0 <= i < j < 10 for i, j in pair_estimators.five(10)) and len(pair_estimators.five(10)) == 5
    assert pair_estimators.five(2) == [(0, 1)] * 5
    assert np.ptp([i for i, _ in pair_estimators.five(100)]) > 10


def test_an_unknown_estimator_is_the_users_mistake():
    with pytest.raises(UserError, match="consecutive"):
        diversity.build(CONTEXT, "diversity_some_alex")
