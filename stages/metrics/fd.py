"""`fd_<features>`: Frechet distance between completions and the real images of the same keys, n = images.

Each k gives one set of n completions; the number is the mean over these sets, so its bias depends on n and never on
the number of samples.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from stages.contract import UserError
from stages.metrics.collected import Collected
from stages.metrics.frechet import fit, frechet
from stages.metrics.view import AbsentError, Axes, View

BETTER = "lower"
LEAST = {"alexnet": 384}  # images; with fewer the number tells more of n than of the method


class FrechetDistance:
    """Collects features; one number a set in the end."""

    def __init__(self, network: str, axes: Axes) -> None:
        self.network, self.features = network, Collected(network, axes)

    def __call__(self, view: View) -> Mapping[str, Tensor]:
        self.features.see(view)
        return {}

    def whole(self, sets_SN: Tensor) -> Mapping[str, float]:
        """Each row of `sets` names one completion an image; the mean over the rows."""
        return self.among(torch.arange(sets_SN.shape[1]), sets_SN)

    def among(self, images_M: Tensor, sets_SN: Tensor) -> Mapping[str, float]:
        """The same on the images of these positions alone."""
        fake_NKD, real = self.features.fake_NKD(), fit(self.features.real_ND()[images_M])
        distances = [frechet(real, fit(fake_NKD[images_M, set_N[images_M]])) for set_N in sets_SN]
        return {f"fd_{self.network}": sum(distances) / len(distances)}


def needs(name: str) -> str:
    """The weights of the metric `name`."""
    return name.removeprefix("fd_")


def build(axes: Axes, name: str) -> FrechetDistance:
    """The metric `fd_<features>`; AbsentError under the least number of images."""
    network = name.removeprefix("fd_")
    if network not in LEAST:
        raise UserError(f"params: metric {name}: write fd_<features>, the features of {', '.join(LEAST)}")
    if axes.images < LEAST[network]:
        raise AbsentError(f"{name} needs at least {LEAST[network]} images, and here are {axes.images}")
    return FrechetDistance(network, axes)
