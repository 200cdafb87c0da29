"""FID (Heusel et al. 2017): Frechet distance of Inception's 2048 features; completions against the same keys' images.

Its bias falls as 1 / n, so it is given with n, refused below 1,000 images, and compared only at equal n. The covariance
is the unbiased one, as the paper's own code has it (StyleGAN2-ADA's and so MAT's divides by n).
"""

from stages.metrics.collected import ComparedOnSubsets
from stages.metrics.fd import frechet_distance
from stages.metrics.frechet import Gaussian
from stages.metrics.view import Axes, TooFewError

BETTER = "lower"
LEAST = 1000  # images


def needs(name: str) -> str:
    """The weights of the metric."""
    return "inception"


def build(axes: Axes, name: str) -> ComparedOnSubsets[Gaussian]:
    """The metric `fid`; TooFewError under the least number of images."""
    if axes.images < LEAST:
        raise TooFewError(f"fid needs at least {LEAST} images, and here are {axes.images}")
    return frechet_distance("fid", "inception", axes)
