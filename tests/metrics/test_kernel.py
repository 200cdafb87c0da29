"""The kernel distance: torch-fidelity's number, unbiased, linear in n by blocks."""

import numpy as np
import pytest
import torch
from torch_fidelity.metric_kid import kid_features_to_metric

from stages.metrics import kd, kid
from stages.metrics.core.batch import EvalBatch
from stages.metrics.core.contract import AbsentError, MetricContext
from stages.metrics.core.kernel import BLOCK, in_blocks, mmd
from tests.metrics.rows import rows

CPU = torch.device("cpu")


def features(count: int, shift: float, seed: int) -> torch.Tensor:
    return torch.randn(count, 16, generator=torch.Generator().manual_seed(seed)) + shift


def test_it_is_torch_fidelitys():
    x_ND, y_ND = features(150, 0.0, 0), features(150, 0.3, 1)
    told = kid_features_to_metric(x_ND.double(), y_ND.double(), kid_subsets=1, kid_subset_size=150, verbose=False)
    assert mmd(x_ND, y_ND) == pytest.approx(told["kernel_inception_distance_mean"], rel=1e-9)


@pytest.mark.parametrize("count", [20, 100])
def test_it_is_unbiased_at_any_n(count):
    values = [mmd(features(count, 0.0, 2 * seed), features(count, 0.0, 2 * seed + 1)) for seed in range(400)]
    assert abs(np.mean(values)) < 4 * np.std(values) / 20


def test_many_images_are_averaged_in_blocks():
    few = features(150, 0.0, 0), features(150, 0.3, 1)
    assert in_blocks(*few) == pytest.approx(mmd(*few), rel=1e-9)
    many = features(2 * BLOCK + 1, 0.0, 100), features(2 * BLOCK + 1, 0.3, 101)
    assert in_blocks(*many) == pytest.approx(mmd(*many), rel=0.05)  # not the same number, the same mean


@pytest.mark.parametrize(("module", "name"), [(kid, "kid"), (kd, "kd_alexnet")])
def test_too_few_images_are_refused(module, name):
    with pytest.raises(AbsentError, match=f"{name} needs at least 100 images, and here are 99"):
        module.build(MetricContext(CPU, 99), name)


def test_its_name_carries_its_features_and_some_images_give_their_own_number(backbones, make_batch):
    shown, some = make_batch(images=12, samples=2, size=32), torch.tensor([1, 4, 5, 8])
    whole, part = (kd.build(MetricContext(CPU, 100), "kd_alexnet") for _ in range(2))
    cut = EvalBatch(*(x[some] for x in (shown.image_BCHW, shown.known_B1HW, shown.raw_BKCHW, shown.judged_BKCHW)), 0, 2)
    seen = rows(whole, [shown])
    sets_SN = torch.tensor([[0] * 12, [1] * 12])
    assert list(whole.whole(seen, sets_SN)) == ["kd_alexnet"]
    expected = part.whole(rows(part, [cut]), sets_SN[:, :4])["kd_alexnet"]
    assert whole.among(seen, some, sets_SN)["kd_alexnet"] == pytest.approx(expected, rel=1e-4)
