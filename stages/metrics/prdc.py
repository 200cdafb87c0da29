"""Precision and recall (Kynkaanniemi et al. 2019), density and coverage (Naeem et al. 2020) of features.

Around each point of a set lies a ball that reaches to its k-th nearest neighbour in that set (itself not counted).
precision: the share of completions in any real ball; recall: of real images in any completion's ball; density: how
many real balls a completion lies in, over k; coverage: the share of real balls that hold a completion.
k = 3 for the first two, 5 for the others, as their authors have it. `prdc_<features>` gives all four.
"""

import torch
from torch import Tensor

from stages.metrics.core.backbones import NETWORKS
from stages.metrics.core.contract import Better, MetricContext, require_images
from stages.metrics.core.label import SHORT, Label
from stages.metrics.core.set_metric import ImageFeatures, SetComparison

VALUES = {
    "precision": "share of completions that lie among originals",
    "recall": "share of originals that lie among completions",
    "density": "how densely originals lie about a completion",
    "coverage": "share of originals with a completion nearby",
}
NAMES = tuple(f"prdc_{network}" for network in NETWORKS)
BETTER: Better = "higher"
LABELS = {
    f"prdc_{network}_{value}": Label(
        f"{value.capitalize()} {SHORT.get(network, network)}", "", meaning, "perception", rank=60 + place
    )
    for network in NETWORKS
    for place, (value, meaning) in enumerate(VALUES.items())
}
DEFAULTS = ()
LEAST = 100  # images: with fewer, neighbours are far and every ball holds everything
K_PRECISION, K_DENSITY = 3, 5
ROWS = 2048  # of a distance matrix at once: memory grows linearly in n


def radii(points_ND: Tensor, k: int) -> Tensor:
    """Distance of each point to its k-th nearest neighbour, (N,)."""
    return torch.cat([torch.cdist(some_MD, points_ND).kthvalue(k + 1).values for some_MD in points_ND.split(ROWS)])


def balls(centres_ND: Tensor, radius_N: Tensor, points_MD: Tensor) -> Tensor:
    """In how many of the balls each point lies, (M,)."""
    parts = [(torch.cdist(some_LD, centres_ND) <= radius_N).sum(dim=1) for some_LD in points_MD.split(ROWS)]
    return torch.cat(parts)


def holding(centres_ND: Tensor, radius_N: Tensor, points_MD: Tensor) -> Tensor:
    """Whether each ball holds a point, (N,)."""
    centres = zip(centres_ND.split(ROWS), radius_N.split(ROWS), strict=True)
    return torch.cat([torch.cdist(some_LD, points_MD).amin(dim=1) <= radius_L for some_LD, radius_L in centres])


def prdc(real_ND: Tensor, fake_MD: Tensor) -> tuple[float, float, float, float]:
    """Precision, recall, density, coverage."""
    near_N, far_N = radii(real_ND, K_PRECISION), radii(real_ND, K_DENSITY)
    precision = (balls(real_ND, near_N, fake_MD) > 0).double().mean()
    recall = (balls(fake_MD, radii(fake_MD, K_PRECISION), real_ND) > 0).double().mean()
    density = balls(real_ND, far_N, fake_MD).double().mean() / K_DENSITY
    coverage = holding(real_ND, far_N, fake_MD).double().mean()
    return float(precision), float(recall), float(density), float(coverage)


def needs(name: str) -> str:
    """The weights of the metric `prdc_<features>`."""
    return name.removeprefix("prdc_")


def build(context: MetricContext, name: str) -> SetComparison[Tensor]:
    """The metric `prdc_<features>`; TooFewError under the least number of images."""
    require_images(name, LEAST, context)

    def compare(real_ND: Tensor, fake_ND: Tensor) -> dict[str, float]:
        values = prdc(real_ND, fake_ND.double())
        return dict(zip((f"{name}_{value}" for value in VALUES), values, strict=True))

    return SetComparison(ImageFeatures(needs(name), context), Tensor.double, compare)
