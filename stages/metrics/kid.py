"""`kid`: the kernel distance on Inception's 2048 features (Binkowski et al. 2018)."""

from torch import Tensor

from stages.metrics.core.contract import Better, MetricContext, require_images
from stages.metrics.core.kernel import LEAST, kernel_distance
from stages.metrics.core.label import Label
from stages.metrics.core.set_metric import SubsetComparison

NAMES = ("kid",)
BETTER: Better = "lower"
LABELS = {"kid": Label("KID", "", "kernel distance of Inception features", "perception", rank=40)}
DEFAULTS = ()


def needs(name: str) -> str:
    """The weights of the metric."""
    return "inception"


def build(context: MetricContext, name: str) -> SubsetComparison[Tensor]:
    """The metric `kid`; TooFewError under the least number of images."""
    require_images("kid", LEAST, context)
    return kernel_distance("kid", "inception", context)
