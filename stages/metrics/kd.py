"""`kd_<features>`: the kernel distance on features other than Inception's, under their own name."""

from torch import Tensor

from stages.metrics.collected import ComparedOnSubsets
from stages.metrics.kernel import kernel_distance
from stages.metrics.view import Axes

BETTER = "lower"


def needs(name: str) -> str:
    """The weights of the metric `kd_<features>`."""
    return name.removeprefix("kd_")


def build(axes: Axes, name: str) -> ComparedOnSubsets[Tensor]:
    """The metric `kd_<features>`; AbsentError under the least number of images."""
    return kernel_distance(name, name.removeprefix("kd_"), axes)
