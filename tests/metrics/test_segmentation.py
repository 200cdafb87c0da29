"""Overlap of class maps on known answers; the network's wiring on random weights in torchvision's format."""

import hashlib

import pytest
import torch
from sklearn.metrics import jaccard_score
from torchvision.models.segmentation import deeplabv3_mobilenet_v3_large

from stages.contract import UserError
from stages.metrics import segmentation
from stages.metrics.core.contract import AbsentError, MetricContext
from stages.project import weights

CPU = torch.device("cpu")
FILE = "deeplabv3_mobilenet_v3_large-fc3c493d.pth"


def test_maps_overlap_as_scikit_learn_says():
    one_BHW, other_BHW = torch.randint(0, 5, (2, 3, 12, 14), generator=torch.Generator().manual_seed(0)).unbind()
    for value, one_HW, other_HW in zip(segmentation.overlap(one_BHW, other_BHW), one_BHW, other_BHW, strict=True):
        expected = jaccard_score(one_HW.flatten().numpy(), other_HW.flatten().numpy(), average="macro")
        assert float(value) == pytest.approx(expected)


def test_classes_that_are_in_neither_map_do_not_count():
    one_BHW = torch.tensor([[[0, 0], [1, 1]]])
    other_BHW = torch.tensor([[[0, 0], [0, 1]]])
    assert segmentation.overlap(one_BHW, one_BHW).tolist() == [1.0]
    assert segmentation.overlap(one_BHW, other_BHW).tolist() == pytest.approx([(2 / 3 + 1 / 2) / 2])


def point_to(folder, sha256, monkeypatch):
    table = weights.Weights((folder / FILE).as_uri(), {FILE: sha256})
    monkeypatch.setitem(weights.TABLE, segmentation.WEIGHTS, table)
    for name in ("PLURIFILL_WEIGHTS", "TORCH_HOME"):
        monkeypatch.setenv(name, str(folder))
    for remembered in (weights._search, segmentation.segmenter):
        remembered.cache_clear()


def test_a_completion_that_is_the_image_shows_the_same_things(make_batch, tmp_path, monkeypatch):
    torch.manual_seed(0)
    net = deeplabv3_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=21, aux_loss=True)
    torch.save(net.state_dict(), tmp_path / FILE)
    point_to(tmp_path, hashlib.sha256((tmp_path / FILE).read_bytes()).hexdigest(), monkeypatch)
    shown = make_batch(images=1, samples=1)
    shown.judged_BKCHW[:, 0] = shown.image_BCHW
    with torch.inference_mode():
        value_BK = segmentation.build(MetricContext(CPU, 1), segmentation.NAME)(shown)[segmentation.NAME]
    assert value_BK.tolist() == [[1.0]]
    segmentation.segmenter.cache_clear()


def test_without_weights_it_is_absent_with_the_reason(tmp_path, monkeypatch):
    point_to(tmp_path, "fc3c493d", monkeypatch)
    with pytest.raises(AbsentError, match=f"{FILE} not in .*download failed"):
        segmentation.build(MetricContext(CPU, 1), segmentation.NAME)


def test_another_name_is_the_users_mistake():
    with pytest.raises(UserError, match="write segmentation_deeplabv3"):
        segmentation.build(MetricContext(CPU, 1), "segmentation_miou")
