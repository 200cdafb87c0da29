"""`kid`: the kernel distance on Inception's 2048 features (Binkowski et al. 2018)."""

from torch import Tensor

from stages.metrics.collected import ComparedOnSubsets
from stages.metrics.kernel import kernel_distance
from stages.metrics.view import Axes

BETTER = "lower"


def needs(name: str) -> str:
    """The weights of the metric."""
    return "inception"


def build(axes: Axes, name: str) -> ComparedOnSubsets[Tensor]:
    """The metric `kid`; AbsentError under the least number of images."""
    return kernel_distance("kid", "inception", axes)
