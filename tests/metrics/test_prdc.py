"""Precision is about completions, recall about images; each equals its definition over pairs."""

import numpy as np
import pytest
import torch
from torch import Tensor

from stages.metrics import prdc
from stages.metrics.core.contract import AbsentError, MetricContext
from tests.metrics.rows import rows

CPU = torch.device("cpu")


def cloud(count: int, spread: float, seed: int) -> Tensor:
    return spread * torch.randn(count, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def definition(real: Tensor, fake: Tensor) -> list[float]:
    """By loops over points."""

    def radius(points: Tensor, i: int, k: int) -> float:
        return sorted(float((points[i] - other).norm()) for other in points)[k]

    def within(points: Tensor, k: int, queries: Tensor) -> np.ndarray:
        reach = [radius(points, i, k) for i in range(len(points))]
        apart = [[float((query - point).norm()) for point in points] for query in queries]
        return np.array(apart) <= np.array(reach)

    dense = within(real, 5, fake)
    found = [within(real, 3, fake).any(1), within(fake, 3, real).any(1), dense.sum(1) / 5, dense.any(0)]
    return [float(values.mean()) for values in found]


def test_each_is_its_definition():
    real, fake = cloud(40, 1.0, 0), cloud(30, 1.3, 1)
    assert prdc.prdc(real, fake) == pytest.approx(definition(real, fake))


def test_long_sets_are_cut_into_rows(monkeypatch):
    real, fake = cloud(40, 1.0, 0), cloud(30, 1.3, 1)
    whole = prdc.prdc(real, fake)
    monkeypatch.setattr(prdc, "ROWS", 7)
    assert prdc.prdc(real, fake) == pytest.approx(whole)


def test_a_set_and_itself():
    precision, recall, density, coverage = prdc.prdc(cloud(200, 1.0, 0), cloud(200, 1.0, 0))
    assert (precision, recall, coverage) == (1.0, 1.0, 1.0)
    assert density == pytest.approx(6 / 5, abs=0.05)  # each ball holds its centre and its five neighbours


def test_completions_of_one_mode_are_precise_and_recall_little():
    modes = torch.cat([cloud(100, 0.1, 0), cloud(100, 0.1, 1) + 10])
    precision, recall, _, coverage = prdc.prdc(modes, cloud(200, 0.1, 2))
    assert precision > 0.9 and recall < 0.6 and coverage < 0.6


def test_too_few_images_are_refused():
    with pytest.raises(AbsentError, match="at least 100 images, and here are 99"):
        prdc.build(MetricContext(CPU, 99), "prdc_alexnet")


def test_four_numbers_a_set(backbones, make_batch):
    shown = make_batch(images=12, samples=2, size=32)
    metric = prdc.build(MetricContext(CPU, 100), "prdc_alexnet")
    told = metric.whole(rows(metric, [shown]), torch.tensor([[0] * 12, [1] * 12]))
    assert set(told) == {f"prdc_alexnet_{name}" for name in ("precision", "recall", "density", "coverage")}
