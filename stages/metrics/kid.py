"""`kid`: the kernel distance on Inception's 2048 features (Binkowski et al. 2018)."""

from stages.metrics.kernel import KernelDistance
from stages.metrics.view import Axes

BETTER = "lower"


def needs(name: str) -> str:
    """The weights of the metric."""
    return "inception"


def build(axes: Axes, name: str) -> KernelDistance:
    """The metric `kid`; AbsentError under the least number of images."""
    return KernelDistance("kid", "inception", axes)
