"""The maps are torchvision's own, at the depths that they say."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn
from torchvision import models
from torchvision.transforms.functional import normalize

from stages.metrics.core import classifier_maps, lpips_network
from stages.metrics.core.classifier_maps import ClassifierMaps
from stages.project import weights

BUILD = {"alex": models.alexnet, "squeeze": models.squeezenet1_1}


def features_of(net: str) -> nn.Sequential:
    """torchvision's convolutional layers; vgg's without the half GiB that follows them."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layers = models.vgg.make_layers(models.vgg.cfgs["D"]) if net == "vgg" else BUILD[net](weights=None).features
    return layers.eval()


def outputs(layers: nn.Sequential, image_BCHW: Tensor) -> list[Tensor]:
    """What every layer gives for images in [-1, 1], normalised as torchvision says."""
    here, found = normalize((image_BCHW + 1) / 2, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)), []
    for layer in layers:
        here = layer(here.clone())  # torchvision's ReLU writes into what it is given
        found.append(here)
    return found


def images(seed: int = 0, size: int = 64) -> Tensor:
    return torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def randomly(net: str) -> tuple[ClassifierMaps, nn.Sequential]:
    """The maps of a net of random weights, and torchvision's layers with the same."""
    layers = features_of(net)
    return ClassifierMaps(net, {f"features.{key}": value for key, value in layers.state_dict().items()}), layers


@pytest.mark.parametrize("net", ["alex", "squeeze"])
def test_the_maps_are_those_of_the_first_three_layers_that_lpips_reads(net, backbones):
    layers, tensors = features_of(net), weights.features(lpips_network.BACKBONES[net])
    layers.load_state_dict({key.removeprefix("features."): value for key, value in tensors.items()})
    read = [int(list(part)[-1][0]) for part in map(nn.Module.named_children, lpips_network.distance(net).slices[:3])]
    expected = outputs(layers, images())
    for map_BChw, index in zip(classifier_maps.maps(net)(images()), read, strict=True):
        torch.testing.assert_close(map_BChw, expected[index])


def test_vggs_maps_are_the_outputs_of_its_first_three_pools():
    maps, layers = randomly("vgg")
    pools = [index for index, layer in enumerate(layers) if isinstance(layer, nn.MaxPool2d)]
    expected = outputs(layers, images())
    for map_BChw, index in zip(maps(images()), pools[:3], strict=True):
        torch.testing.assert_close(map_BChw, expected[index])


@pytest.mark.parametrize("net", ["alex", "squeeze", "vgg"])
def test_maps_are_three_and_the_finest_is_first(net):
    maps, _ = randomly(net)
    sides = [map_BChw.shape[-1] for map_BChw in maps(images())]
    assert len(sides) == 3 and all(fine > coarse for fine, coarse in pairwise(sides))


@pytest.mark.parametrize("net", ["alex", "squeeze", "vgg"])
@pytest.mark.parametrize("depth", [0, 1, 2])
def test_a_gradient_reaches_the_image_from_every_map_and_no_weight(net, depth):
    maps, _ = randomly(net)
    image_BCHW = images().requires_grad_()
    maps(image_BCHW)[depth].square().sum().backward()
    assert image_BCHW.grad.any()
    assert not maps.training
    assert all(p.grad is None and not p.requires_grad for p in maps.parameters())


@pytest.mark.parametrize("net", ["alex", "squeeze", "vgg"])
def test_building_them_leaves_the_global_generator_alone(net):
    tensors = {f"features.{key}": value for key, value in features_of(net).state_dict().items()}
    before = torch.get_rng_state()
    ClassifierMaps(net, tensors)
    assert torch.equal(before, torch.get_rng_state())


def test_without_weights_there_are_none(tmp_path, monkeypatch):
    monkeypatch.setenv("PLURIFILL_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    gone = weights.Weights((tmp_path / "vgg16-397923af.pth").as_uri(), {"vgg16-397923af.pth": "397923af"})
    monkeypatch.setitem(weights.TABLE, "vgg16", gone)
    assert classifier_maps.maps("vgg") is None
