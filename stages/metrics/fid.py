"""FID (Heusel et al. 2017): Frechet distance of Inception's 2048 features; completions against the same keys' images.

Its bias falls as 1 / n, so it is given with n, refused below 1,000 images, and compared only at equal n. The covariance
is the unbiased one, as the paper's own code has it (StyleGAN2-ADA's and so MAT's divides by n).
"""

from stages.metrics.core.contract import Better, Default, MetricContext, require_images
from stages.metrics.core.frechet import Gaussian, frechet_distance
from stages.metrics.core.label import Label
from stages.metrics.core.set_metric import SubsetComparison

NAMES = ("fid",)
BETTER: Better = "lower"
LABELS = {"fid": Label("FID", "", "Frechet distance of Inception features", "perception", rank=30)}
LEAST = 1000  # images
DEFAULTS = (Default("fid", images=LEAST),)


def needs(name: str) -> str:
    """The weights of the metric."""
    return "inception"


def build(context: MetricContext, name: str) -> SubsetComparison[Gaussian]:
    """The metric `fid`; TooFewError under the least number of images."""
    require_images("fid", LEAST, context)
    return frechet_distance("fid", "inception", context)
