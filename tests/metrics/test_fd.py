"""The Frechet distance by its fast routes is scipy's; of a set with itself it is 0; too few images are refused."""

import numpy as np
import pytest
import scipy.linalg
import torch

from stages.metrics import fd
from stages.metrics.core import set_metric
from stages.metrics.core.batch import EvalBatch
from stages.metrics.core.contract import AbsentError, MetricContext
from stages.metrics.core.frechet import fit, frechet, frechet_distance
from tests.faults.harm import flip, truncate
from tests.metrics.rows import rows

CPU = torch.device("cpu")


def definition(x_ND: np.ndarray, y_ND: np.ndarray) -> float:
    """Dowson & Landau with scipy's matrix square root."""
    one, other = np.cov(x_ND, rowvar=False), np.cov(y_ND, rowvar=False)
    root = scipy.linalg.sqrtm(one @ other).real
    return float(np.square(x_ND.mean(0) - y_ND.mean(0)).sum() + np.trace(one + other - 2 * root))


def features(count: int, width: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    mix_DD = rng.normal(size=(width, width)) / width**0.5
    return rng.normal(loc=0.1 * seed, size=(count, width)) @ mix_DD


@pytest.mark.parametrize("counts", [(300, 300), (40, 40), (300, 40), (40, 300), (64, 65)])
def test_every_route_is_scipys_number(counts):
    x_ND, y_ND = features(counts[0], 64, 1), features(counts[1], 64, 2)
    value = frechet(fit(torch.from_numpy(x_ND)), fit(torch.from_numpy(y_ND)))
    assert value == pytest.approx(definition(x_ND, y_ND), abs=1e-4)


@pytest.mark.parametrize("count", [300, 40])
def test_a_set_is_at_no_distance_from_itself(count):
    one = fit(torch.from_numpy(features(count, 64, 1)))
    assert frechet(one, one) == pytest.approx(0.0, abs=1e-5)


def test_a_shift_alone_is_its_squared_length():
    x_ND = torch.from_numpy(features(200, 16, 1))
    assert frechet(fit(x_ND), fit(x_ND + 0.5)) == pytest.approx(16 * 0.25, abs=1e-6)


def test_features_that_never_fire_are_no_obstacle():
    x_ND, y_ND = features(300, 32, 1), features(300, 32, 2)
    dead_x_ND, dead_y_ND = (np.concatenate([z_ND, np.zeros((300, 8))], axis=1) for z_ND in (x_ND, y_ND))
    value = frechet(fit(torch.from_numpy(dead_x_ND)), fit(torch.from_numpy(dead_y_ND)))
    assert value == pytest.approx(definition(x_ND, y_ND), abs=1e-4)


def test_too_few_images_are_refused_with_the_number():
    with pytest.raises(AbsentError, match="at least 384 images, and here are 383"):
        fd.build(MetricContext(CPU, images=383), "fd_alexnet")


def split(whole: EvalBatch, size: int) -> list[EvalBatch]:
    """The same set, `size` images a batch."""
    parts = zip(
        whole.image_BCHW.split(size),
        whole.known_B1HW.split(size),
        whole.raw_BKCHW.split(size),
        whole.judged_BKCHW.split(size),
        strict=True,
    )
    return [EvalBatch(*part, 0, whole.total) for part in parts]


def test_it_does_not_depend_on_batches_and_keeps_the_real_side(backbones, make_batch, tmp_path):
    shown = make_batch(images=12, samples=2, size=32)
    sets_SN = torch.arange(2)[:, None].expand(2, 12)
    values = []
    for size, real in ((12, tmp_path), (5, tmp_path), (1, None)):
        metric = frechet_distance("fd_alexnet", "alexnet", MetricContext(CPU, 12, real))
        values.append(metric.whole(rows(metric, split(shown, size)), sets_SN)["fd_alexnet"])
    assert values == pytest.approx([values[0]] * 3, rel=1e-5)
    assert len(list(tmp_path.glob("alexnet-*.npz"))) == 1


@pytest.mark.parametrize("harm", [flip, truncate])
def test_kept_features_that_were_harmed_are_computed_again(tmp_path, harm, draw, capsys):
    path, features_ND = tmp_path / "kept.npz", torch.rand(50, 8)
    set_metric.save(path, features_ND)
    assert torch.equal(set_metric.load(path), features_ND)
    told = 0
    for _ in range(20):
        set_metric.save(path, features_ND)
        harm(path, draw)
        found = set_metric.load(path)
        told += f"{path} is damaged" in capsys.readouterr().err
        assert found is None or torch.equal(found, features_ND)  # bits of a zip's own dates show nowhere
    assert told > 15


def test_all_samples_are_the_mean_of_one_set_a_sample(backbones, make_batch):
    shown = make_batch(images=12, samples=2, size=32)
    metric = frechet_distance("fd_alexnet", "alexnet", MetricContext(CPU, 12))
    seen = rows(metric, [shown])
    both, first, second = (
        metric.whole(seen, torch.tensor(ks)[:, None].expand(-1, 12))["fd_alexnet"] for ks in ([0, 1], [0], [1])
    )
    assert both == pytest.approx((first + second) / 2)
    assert first != pytest.approx(second)


def test_on_some_images_it_is_the_number_of_these_alone(backbones, make_batch):
    shown, sets_SN = make_batch(images=12, samples=2, size=32), torch.tensor([[0] * 12, [1] * 12])
    whole, part = (frechet_distance("fd_alexnet", "alexnet", MetricContext(CPU, 12)) for _ in range(2))
    some = [0, 3, 4, 9, 11]
    cut = EvalBatch(*(x[some] for x in (shown.image_BCHW, shown.known_B1HW, shown.raw_BKCHW, shown.judged_BKCHW)), 0, 2)
    expected = part.whole(rows(part, [cut]), sets_SN[:, :5])["fd_alexnet"]
    told = whole.among(rows(whole, [shown]), torch.tensor(some), sets_SN)
    assert told["fd_alexnet"] == pytest.approx(expected, rel=1e-5)
