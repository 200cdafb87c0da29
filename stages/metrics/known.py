"""Known-region error: how far the raw completion, before compositing, is from what was given (percent of 255)."""

from collections.abc import Mapping

from torch import Tensor

from stages.metrics.reconstruction import LEVELS, PERCENT, masked_mean
from stages.metrics.view import Axes, Metric, View

BETTER = "lower"


def known_error(view: View) -> Mapping[str, Tensor]:
    """(B, K); always of the raw output, whatever the protocol judges."""
    percent_BKCHW = (view.raw_BKCHW - view.image_BCHW[:, None]).abs() * LEVELS * PERCENT
    return {"known_error": masked_mean(percent_BKCHW, view.known_B1HW)}


def build(axes: Axes, name: str) -> Metric:
    """The metric `known_error`."""
    return known_error
