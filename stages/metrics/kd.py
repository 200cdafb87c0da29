"""`kd_<features>`: the kernel distance on features other than Inception's, under their own name."""

from stages.metrics.kernel import KernelDistance
from stages.metrics.view import Axes

BETTER = "lower"


def needs(name: str) -> str:
    """The weights of the metric `kd_<features>`."""
    return name.removeprefix("kd_")


def build(axes: Axes, name: str) -> KernelDistance:
    """The metric `kd_<features>`; AbsentError under the least number of images."""
    return KernelDistance(name, name.removeprefix("kd_"), axes)
