"""The maps are torchvision's own, at the depths that they say."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn
from torchvision import models
from torchvision.models.segmentation import fcn_resnet50
from torchvision.transforms.functional import normalize

from stages.metrics.core import classifier_maps, lpips_network
from stages.metrics.core.classifier_maps import NETWORKS, SEGMENTER, ClassifierMaps
from stages.project import weights

BUILD = {"alex": models.alexnet, "squeeze": models.squeezenet1_1}


def tensors_of(net: str) -> dict[str, Tensor]:
    """What the file of a net of random weights would hold, or more."""
    if net != SEGMENTER:
        return {f"features.{key}": value for key, value in features_of(net).state_dict().items()}
    return fcn().state_dict()


def fcn() -> nn.Module:
    """torchvision's, whose batch norms have seen something."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = fcn_resnet50(weights=None, weights_backbone=None, num_classes=21, aux_loss=True).eval()
        for norm in (layer for layer in net.modules() if isinstance(layer, nn.BatchNorm2d)):
            nn.init.normal_(norm.running_mean, std=0.1)
            nn.init.uniform_(norm.running_var, 0.5, 1.5)
    return net


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
    return ClassifierMaps(net, tensors_of(net)), features_of(net)


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


@pytest.mark.parametrize("net", lpips_network.BACKBONES)
def test_maps_are_three_and_the_finest_is_first(net):
    maps, _ = randomly(net)
    sides = [map_BChw.shape[-1] for map_BChw in maps(images())]
    assert len(sides) == 3 and all(fine > coarse for fine, coarse in pairwise(sides))


def test_the_segmenters_maps_are_its_stages_outputs_an_eighth_of_the_side_from_the_second_on():
    net, expected = fcn(), []
    for stage in (net.backbone.layer1, net.backbone.layer2, net.backbone.layer3, net.backbone.layer4):
        stage.register_forward_hook(lambda _, given, out: expected.append(out))
    with torch.no_grad():
        net(normalize((images() + 1) / 2, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
        found = ClassifierMaps(SEGMENTER, net.state_dict())(images())
    assert [map_BChw.shape[1:] for map_BChw in found] == [(256, 16, 16), (512, 8, 8), (1024, 8, 8), (2048, 8, 8)]
    for map_BChw, expected_BChw in zip(found, expected, strict=True):
        torch.testing.assert_close(map_BChw, expected_BChw)


@pytest.mark.parametrize("net", NETWORKS)
def test_a_gradient_reaches_the_image_from_every_map_and_no_weight(net):
    maps = ClassifierMaps(net, tensors_of(net))
    image_BCHW = images().requires_grad_()
    for map_BChw in maps(image_BCHW):
        assert torch.autograd.grad(map_BChw.square().sum(), image_BCHW, retain_graph=True)[0].any()
    assert not maps.training and not any(p.requires_grad for p in maps.parameters())


@pytest.mark.parametrize("net", NETWORKS)
def test_building_them_leaves_the_global_generator_alone(net):
    tensors, before = tensors_of(net), torch.get_rng_state()
    ClassifierMaps(net, tensors)
    assert torch.equal(before, torch.get_rng_state())


def test_without_weights_there_are_none(tmp_path, monkeypatch):
    monkeypatch.setenv("PLURIFILL_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    gone = weights.Weights((tmp_path / "vgg16-397923af.pth").as_uri(), {"vgg16-397923af.pth": "397923af"})
    monkeypatch.setitem(weights.TABLE, "vgg16", gone)
    assert classifier_maps.maps("vgg") is None
