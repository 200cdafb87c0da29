"""`fd_<features>`: Frechet distance between completions and the real images of the same keys, n = images.

Each k gives one set of n completions; the number is the mean over these sets, so its bias depends on n and never on
the number of samples.
"""

from stages.contract import UserError
from stages.metrics.collected import Collected, ComparedOnSubsets
from stages.metrics.frechet import Gaussian, fit, frechet
from stages.metrics.view import Axes, TooFewError

BETTER = "lower"
LEAST = {"alexnet": 384}  # images; with fewer the number tells more of n than of the method


def frechet_distance(label: str, network: str, axes: Axes) -> ComparedOnSubsets[Gaussian]:
    """The distance on a network's features, under its own name."""
    return ComparedOnSubsets(Collected(network, axes), fit, lambda real, fake_ND: {label: frechet(real, fit(fake_ND))})


def needs(name: str) -> str:
    """The weights of the metric `name`."""
    return name.removeprefix("fd_")


def build(axes: Axes, name: str) -> ComparedOnSubsets[Gaussian]:
    """The metric `fd_<features>`; TooFewError under the least number of images."""
    network = name.removeprefix("fd_")
    if network not in LEAST:
        raise UserError(f"params: metric {name}: write fd_<features>, the features of {', '.join(LEAST)}")
    if axes.images < LEAST[network]:
        raise TooFewError(f"{name} needs at least {LEAST[network]} images, and here are {axes.images}")
    return frechet_distance(name, network, axes)
