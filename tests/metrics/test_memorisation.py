"""The nearest training image is found exactly; copies are at distance 0; without training there is no number."""

import pytest
import torch

from stages.metrics import memorisation
from stages.metrics.core import backbones as networks
from stages.metrics.core.contract import AbsentError, MetricContext, TrainingImages

CPU = torch.device("cpu")


def rows(count, seed):
    return torch.randn(count, 6, generator=torch.Generator().manual_seed(seed))


def test_the_nearest_row_is_found_across_pieces():
    query_ND, known_MD = rows(20, 0), rows(2 * memorisation.ROWS + 7, 1)
    distance_N, row_N = memorisation.nearest(query_ND, known_MD)
    expected_NM = (query_ND[:, None] - known_MD[None]).square().sum(dim=2).sqrt()
    assert torch.equal(row_N, expected_NM.argmin(dim=1))
    assert torch.allclose(distance_N, expected_NM.min(dim=1).values)


class Pixels(torch.nn.Module):
    """Stands where AlexNet stands."""

    def forward(self, image_BCHW):
        return image_BCHW.flatten(1)


def test_a_copied_training_image_is_at_0_and_the_original_at_1(make_batch, tmp_path, monkeypatch):
    monkeypatch.setitem(networks.NETWORKS, "alexnet", Pixels)
    networks.backbone.cache_clear()
    shown, training = make_batch(images=2, samples=2), make_batch(images=5, seed=1).image_BCHW
    shown.judged_BKCHW[:, 0] = training[3]
    shown.judged_BKCHW[:, 1] = shown.image_BCHW
    training_images = TrainingImages(tmp_path, lambda: iter(training.split(2)))
    for _ in range(2):  # the second time from the disk
        metric = memorisation.build(MetricContext(CPU, 2, training_images=training_images), "memorisation_alexnet")
        assert metric(shown)["memorisation_alexnet"].tolist() == [[0.0, 1.0], [0.0, 1.0]]
    assert len(list(tmp_path.iterdir())) == 1
    networks.backbone.cache_clear()


def test_without_training_it_is_absent():
    with pytest.raises(AbsentError, match="images that the method learnt from"):
        memorisation.build(MetricContext(CPU, 2), "memorisation_alexnet")
