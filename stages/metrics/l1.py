"""Mean absolute difference in percent of 255: the whole image, its hole, and a band along the hole's border."""

from collections.abc import Mapping

from torch import Tensor

from stages.metrics.reconstruction import PERCENT, band, difference, masked_mean
from stages.metrics.view import Axes, Metric, View

BETTER = "lower"


def l1(view: View) -> Mapping[str, Tensor]:
    """`l1`, `l1_hole` and `l1_band`, (B, K) each."""
    percent_BKCHW = difference(view).abs() * PERCENT
    return {
        "l1": percent_BKCHW.mean(dim=(2, 3, 4)),
        "l1_hole": masked_mean(percent_BKCHW, 1.0 - view.known_B1HW),
        "l1_band": masked_mean(percent_BKCHW, band(view.known_B1HW)),
    }


def build(axes: Axes, name: str) -> Metric:
    """The metrics `l1`, `l1_hole`, `l1_band`."""
    return l1
