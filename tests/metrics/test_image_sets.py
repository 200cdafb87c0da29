"""The distance of two sets of images is the metric's own, on the same network's features."""

from __future__ import annotations

import pytest
import torch

from stages.metrics.core.backbones import backbone
from stages.metrics.core.batch import EvalBatch
from stages.metrics.core.contract import MetricContext
from stages.metrics.core.frechet import frechet_distance as metric
from stages.metrics.core.image_sets import FrechetDistance, frechet_distance
from stages.project import weights
from tests.metrics.rows import rows

CPU = torch.device("cpu")
COUNT = 70


def images(seed: int, count: int = COUNT, size: int = 32) -> torch.Tensor:
    """Coloured blocks on the grid of grey levels."""
    coarse_NCHW = torch.randint(0, 256, (count, 3, 4, 4), generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.interpolate(coarse_NCHW / 127.5 - 1, size=size)


def between(distance: FrechetDistance | None, real_NCHW: torch.Tensor, fake_MCHW: torch.Tensor) -> float:
    assert distance is not None
    return distance.distance(distance.features(real_NCHW), distance.features(fake_MCHW))


def test_it_is_the_metrics_own_number(backbones):
    real_NCHW, fake_NCHW = images(0), images(1)
    of_rows, known_B1HW = metric("fd", "alexnet", MetricContext(CPU, images=COUNT)), torch.zeros(COUNT, 1, 32, 32)
    shown = EvalBatch(real_NCHW, known_B1HW, fake_NCHW[:, None], fake_NCHW[:, None], first=0, total=1)
    expected = of_rows.whole(rows(of_rows, [shown]), torch.zeros(1, COUNT, dtype=torch.int64))["fd"]
    assert between(frechet_distance(CPU), real_NCHW, fake_NCHW) == pytest.approx(expected, rel=1e-4)
    assert expected > 1.0


def test_a_set_is_at_no_distance_from_itself_in_whatever_order(backbones):
    real_NCHW = images(0)
    assert between(frechet_distance(CPU), real_NCHW, real_NCHW.flip(0)) == pytest.approx(0.0, abs=1e-3)


def test_sets_may_differ_in_how_many_they_are(backbones):
    assert between(frechet_distance(CPU), images(0), images(1)[:2]) > 0


def test_without_weights_there_is_none(tmp_path, monkeypatch):
    for name in ("PLURIFILL_WEIGHTS", "TORCH_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    file = "alexnet-owt-7be5be79.pth"
    gone = weights.Weights((tmp_path / "nowhere" / file).as_uri(), {file: "7be5be79"}, weights.BACKBONE)
    monkeypatch.setitem(weights.TABLE, "alexnet", gone)
    backbone.cache_clear()
    assert frechet_distance(CPU) is None
