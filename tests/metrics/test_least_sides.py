"""Networks and windows say the least side that they fit into: there they give a number, a pixel below they cannot."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from stages.metrics import diversity, lpips, ssim
from stages.metrics.core import classifier_maps, lpips_network
from stages.metrics.core.classifier_maps import ClassifierMaps
from stages.metrics.core.contract import AbsentError, MetricContext
from stages.metrics.core.lpips_network import Lpips
from tests.metrics.conftest import MakeBatch
from tests.metrics.test_classifier_maps import tensors_of

CPU = torch.device("cpu")
NETWORKS: dict[str, tuple[Callable[..., Any], dict[str, int]]] = {
    "lpips": (lambda net, image: Lpips(net, tensors_of(net))(image, -image), lpips_network.LEAST),
    "maps": (lambda net, image: ClassifierMaps(net, tensors_of(net))(image)[-1], classifier_maps.LEAST),
}
KINDS = [("lpips", net) for net in lpips_network.BACKBONES] + [("maps", net) for net in classifier_maps.NETWORKS]


@pytest.mark.parametrize(("kind", "net"), KINDS)
def test_a_network_fits_into_its_least_side_and_no_smaller(kind: str, net: str) -> None:
    answer, least = NETWORKS[kind]
    with torch.inference_mode():
        assert answer(net, torch.rand(1, 3, least[net], least[net])).isfinite().all()
        with pytest.raises(RuntimeError):
            answer(net, torch.rand(1, 3, least[net] - 1, least[net] + 9))


@pytest.mark.parametrize(("name", "least"), [("ssim_uniform7", 7), ("ssim_gaussian11", 11)])
def test_a_window_fits_into_its_least_side(name: str, least: int, make_batch: MakeBatch) -> None:
    values = ssim.build(MetricContext(CPU, 2, side=least), name)(make_batch(size=least))
    assert values[name].isfinite().all()
    with pytest.raises(AbsentError, match=f"{name} needs images of at least {least} px a side"):
        ssim.build(MetricContext(CPU, 2, side=least - 1), name)


@pytest.mark.parametrize("net", lpips_network.BACKBONES)
def test_what_reads_a_network_is_absent_below_its_least_side_whether_it_is_here_or_not(net: str) -> None:
    context = MetricContext(CPU, 2, side=lpips_network.LEAST[net] - 1)
    for module, name in ((lpips, f"lpips_{net}"), (lpips, f"lpips_{net}_hole"), (diversity, f"diversity_all_{net}")):
        with pytest.raises(AbsentError, match=rf"{name} needs images of at least {lpips_network.LEAST[net]} px"):
            module.build(context, name)
