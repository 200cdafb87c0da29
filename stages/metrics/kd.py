"""`kd_<features>`: the kernel distance on features other than Inception's, under their own name."""

from torch import Tensor

from stages.metrics.core.backbones import NETWORKS
from stages.metrics.core.contract import Better, MetricContext, require_images
from stages.metrics.core.kernel import LEAST, kernel_distance
from stages.metrics.core.label import Label
from stages.metrics.core.set_metric import SubsetComparison

NAMES = tuple(f"kd_{network}" for network in NETWORKS if network != "inception")
BETTER: Better = "lower"
LABELS = {
    "kd": Label("KD", "", "kernel distance between the features of completions and of originals", "perception", rank=50)
}
DEFAULTS = ()


def needs(name: str) -> str:
    """The weights of the metric `kd_<features>`."""
    return name.removeprefix("kd_")


def build(context: MetricContext, name: str) -> SubsetComparison[Tensor]:
    """The metric `kd_<features>`; TooFewError under the least number of images."""
    require_images(name, LEAST, context)
    return kernel_distance(name, name.removeprefix("kd_"), context)
