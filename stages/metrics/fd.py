"""`fd_<features>`: Frechet distance between completions and the real images of the same keys, n = images.

Each k gives one set of n completions; the number is the mean over these sets, so its bias depends on n and never on
the number of samples.
"""

from stages.contract import UserError
from stages.metrics.core.contract import Better, Default, MetricContext, require_images
from stages.metrics.core.frechet import Gaussian, frechet_distance
from stages.metrics.core.label import Label
from stages.metrics.core.set_metric import SubsetComparison

LEAST = {"alexnet": 384, "dinov2": 576, "clip": 768}  # images, 1.5 a feature: with fewer it tells more of n
NAMES = tuple(f"fd_{network}" for network in LEAST)
BETTER: Better = "lower"
LABELS = {
    "fd": Label(
        "FD", "", "Frechet distance between the features of completions and of originals", "perception", rank=20
    )
}
DEFAULTS = (Default("fd_alexnet"),)  # of fewer images, too: the reader is told how many it needs


def needs(name: str) -> str:
    """The weights of the metric `name`."""
    return name.removeprefix("fd_")


def build(context: MetricContext, name: str) -> SubsetComparison[Gaussian]:
    """The metric `fd_<features>`; TooFewError under the least number of images."""
    network = name.removeprefix("fd_")
    if network not in LEAST:
        raise UserError(f"params: metric {name}: write fd_<features>, the features of {', '.join(LEAST)}")
    require_images(name, LEAST[network], context)
    return frechet_distance(name, network, context)
