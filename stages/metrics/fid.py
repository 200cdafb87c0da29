"""FID (Heusel et al. 2017): Frechet distance of Inception's 2048 features; completions against the same keys' images.

Its bias falls as 1 / n, so it is given with n, refused below 1,000 images, and compared only at equal n. The covariance
is the unbiased one, as the paper's own code has it (StyleGAN2-ADA's and so MAT's divides by n).
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from stages.metrics.collected import Collected
from stages.metrics.frechet import fit, frechet
from stages.metrics.view import AbsentError, Axes, View

BETTER = "lower"
LEAST = 1000  # images


class Fid:
    """Collects features; the mean over the sets of one completion an image."""

    def __init__(self, axes: Axes) -> None:
        self.features = Collected("inception", axes)

    def __call__(self, view: View) -> Mapping[str, Tensor]:
        self.features.see(view)
        return {}

    def whole(self, sets_SN: Tensor) -> Mapping[str, float]:
        """Each row of `sets` names one completion an image."""
        return self.among(torch.arange(sets_SN.shape[1]), sets_SN)

    def among(self, images_M: Tensor, sets_SN: Tensor) -> Mapping[str, float]:
        """The same on the images of these positions alone."""
        fake_NKD, real = self.features.fake_NKD(), fit(self.features.real_ND()[images_M])
        distances = [frechet(real, fit(fake_NKD[images_M, set_N[images_M]])) for set_N in sets_SN]
        return {"fid": sum(distances) / len(distances)}


def needs(name: str) -> str:
    """The weights of the metric."""
    return "inception"


def build(axes: Axes, name: str) -> Fid:
    """The metric `fid`; AbsentError under the least number of images."""
    if axes.images < LEAST:
        raise AbsentError(f"fid needs at least {LEAST} images, and here are {axes.images}")
    return Fid(axes)
