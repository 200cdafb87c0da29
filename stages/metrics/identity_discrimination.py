"""P-IDS and U-IDS (Zhao et al. 2021, CoModGAN): can a linear machine tell completions from images by their features?

A linear SVM is fitted on all features, and judged on the very same ones:
    U-IDS = its error (0.5: cannot tell), P-IDS = the share of pairs whose completion it finds more real than the image.
Two random sets of n points in d dimensions are separable as often as not at n = d + 1, and nearly always below (Cover
1965): both scores are then 0 whatever the method. Refused there.
"""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from stages.metrics.collected import Collected
from stages.metrics.view import AbsentError, Axes, View

BETTER = "higher"
LEAST = 2048 + 2  # images; 2048 features


def discriminate(real_ND: Tensor, fake_ND: Tensor) -> tuple[float, float]:
    """P-IDS and U-IDS of pairs (row i, row i)."""
    from sklearn.svm import LinearSVC  # here: it takes a second, and most metrics do without it

    real, fake = real_ND.numpy(), fake_ND.numpy()
    inputs, targets = np.concatenate([real, fake]), np.repeat([1, 0], [len(real), len(fake)])
    machine = LinearSVC(dual=False).fit(inputs, targets)
    more_real = machine.decision_function(fake) > machine.decision_function(real)
    return float(more_real.mean()), float(1.0 - machine.score(inputs, targets))


class IdentityDiscrimination:
    """Collects features; the means over the sets of one completion an image."""

    def __init__(self, axes: Axes) -> None:
        self.features = Collected("inception", axes)

    def __call__(self, view: View) -> Mapping[str, Tensor]:
        self.features.see(view)
        return {}

    def whole(self, sets_SN: Tensor) -> Mapping[str, float]:
        """Each row of `sets` names one completion an image."""
        real_ND, fake_NKD = self.features.real_ND(), self.features.fake_NKD()
        images_N = torch.arange(len(fake_NKD))
        pairs_S2 = torch.tensor([discriminate(real_ND, fake_NKD[images_N, set_N]) for set_N in sets_SN])
        paired, unpaired = pairs_S2.mean(dim=0).tolist()
        return {"identity_discrimination_paired": paired, "identity_discrimination_unpaired": unpaired}


def needs(name: str) -> str:
    """The weights of the metric."""
    return "inception"


def build(axes: Axes, name: str) -> IdentityDiscrimination:
    """The metric `identity_discrimination`: both scores; AbsentError under the least number of images."""
    if axes.images < LEAST:
        told = f"{name} needs at least {LEAST} images (with fewer, any two sets are separable)"
        raise AbsentError(f"{told}, and here are {axes.images}")
    return IdentityDiscrimination(axes)
