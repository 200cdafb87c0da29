"""Mean absolute difference in percent of 255: the whole image, its hole, and a band along the hole's border."""

from collections.abc import Mapping

from torch import Tensor

from stages.metrics.core.batch import EvalBatch
from stages.metrics.core.contract import Better, Default, Metric, MetricContext
from stages.metrics.core.label import Label
from stages.metrics.core.pixel_difference import PERCENT, band, difference, masked_mean

NAMES = ("l1", "l1_hole", "l1_band")
BETTER: Better = "lower"
LABELS = {
    "l1": Label("L1", "%", "mean absolute difference over the picture, in percent of 255", "fidelity", rank=30),
    "l1_hole": Label(
        "L1 hole", "%", "mean absolute difference inside the hole, in percent of 255", "fidelity", rank=31
    ),
    "l1_band": Label(
        "L1 band", "%", "mean absolute difference along the hole's border, in percent of 255", "fidelity", rank=32
    ),
}
DEFAULTS = (Default("l1"),)


def l1(batch: EvalBatch) -> Mapping[str, Tensor]:
    """`l1`, `l1_hole` and `l1_band`, (B, K) each."""
    percent_BKCHW = difference(batch).abs() * PERCENT
    return {
        "l1": percent_BKCHW.mean(dim=(2, 3, 4)),
        "l1_hole": masked_mean(percent_BKCHW, 1.0 - batch.known_B1HW),
        "l1_band": masked_mean(percent_BKCHW, band(batch.known_B1HW)),
    }


def needs(name: str) -> None:
    """No weights."""


def build(context: MetricContext, name: str) -> Metric:
    """The metrics `l1`, `l1_hole`, `l1_band`."""
    return l1
