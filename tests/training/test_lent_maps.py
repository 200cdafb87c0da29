"""A network's maps from its file to the losses: verified, lent, told of by digest, or told to be missing."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torchvision.models.segmentation import fcn_resnet50

from stages.metrics.core import classifier_maps
from stages.metrics.core.classifier_maps import SEGMENTER, ClassifierMaps
from stages.project import weights
from stages.project.hashing import of_file
from stages.training.accelerator import TorchAccelerator
from stages.training.distributed import Ranks
from stages.training.session import lent
from tests.training.toys import CPU, loop

NAME = classifier_maps.NETWORKS[SEGMENTER]
FILE = "fcn_resnet50_coco-1167a1af.pth"


@pytest.fixture
def sha256(tmp_path, monkeypatch) -> str:
    """Of a file like the segmenter's in the only folder that is looked into: a number a tensor, stored once."""
    for name in ("PLURIFILL_WEIGHTS", "TORCH_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    with torch.device("meta"):
        state = fcn_resnet50(weights=None, weights_backbone=None, num_classes=21, aux_loss=True).state_dict()
    numbers = torch.rand(len(state), generator=torch.Generator().manual_seed(0)) / 100
    held = {key: number.clone().expand(state[key].shape) for key, number in zip(state, numbers, strict=True)}
    torch.save(held, tmp_path / FILE)
    return of_file(tmp_path / FILE)


def publish(folder: Path, sha256: str, monkeypatch) -> None:
    """The table knows the network by that digest, and the file's folder as its only source."""
    found = weights.Weights((folder / "elsewhere" / FILE).as_uri(), {FILE: sha256}, weights.TABLE[NAME].layers)
    monkeypatch.setitem(weights.TABLE, NAME, found)


def borrower() -> TorchAccelerator:
    """Lends the maps that are to be had, and nothing else."""
    return TorchAccelerator("a/part", loop(), CPU, Ranks(), lambda _: None, classifier_maps.maps, lambda _: None)


def test_the_segmenters_maps_are_lent_and_their_digest_told(tmp_path, monkeypatch, sha256):
    publish(tmp_path, sha256[:8], monkeypatch)
    accelerator, image_BCHW = borrower(), torch.rand(1, 3, 16, 16) * 2 - 1
    found = accelerator.features(SEGMENTER)
    expected = ClassifierMaps(SEGMENTER, torch.load(tmp_path / FILE))(image_BCHW)
    assert all(torch.equal(*pair) for pair in zip(found(image_BCHW), expected, strict=True))
    assert accelerator.left_out() == []
    digest = lent(accelerator)["features"][SEGMENTER]
    assert digest == weights.digest(NAME) and len(digest) == 12


def test_a_segmenter_of_another_digest_is_not_lent_and_that_is_told(tmp_path, monkeypatch, sha256, capsys):
    publish(tmp_path, weights.TABLE[NAME].sha256[FILE], monkeypatch)
    accelerator = borrower()
    assert accelerator.features(SEGMENTER) is None
    assert "a/part: WARNING: no weights for the maps of resnet50_seg" in capsys.readouterr().err
    assert accelerator.left_out() == ["features:resnet50_seg"]
    assert lent(accelerator)["features"] == {SEGMENTER: "absent"}
    assert f"{FILE} has another sha256 than 1167a1af" in weights.why(NAME)


def test_the_digest_does_not_read_the_head(tmp_path, monkeypatch, sha256):
    publish(tmp_path, sha256, monkeypatch)
    before, held = weights.digest(NAME), torch.load(tmp_path / FILE)
    other = tmp_path / "other"
    other.mkdir()
    torch.save({key: value for key, value in held.items() if key.startswith("backbone.")}, other / FILE)
    monkeypatch.setenv("PLURIFILL_WEIGHTS", str(other))
    publish(other, of_file(other / FILE), monkeypatch)
    assert weights.digest(NAME) == before != "absent"
