"""Known-region error: how far the raw completion, before compositing, is from what was given (percent of 255)."""

from collections.abc import Mapping

from torch import Tensor

from stages.images.pixels import LEVELS
from stages.metrics.core.batch import EvalBatch
from stages.metrics.core.contract import Better, Default, Metric, MetricContext
from stages.metrics.core.label import Label
from stages.metrics.core.pixel_difference import PERCENT, masked_mean

NAMES = ("known_error",)
BETTER: Better = "lower"
LABELS = {
    "known_error": Label(
        "Known error", "%", "change of known pixels in the raw output, before compositing", "known region", rank=10
    )
}
DEFAULTS = (Default("known_error", raw=True),)


def known_error(batch: EvalBatch) -> Mapping[str, Tensor]:
    """(B, K); always of the raw output, whatever the protocol judges."""
    percent_BKCHW = (batch.raw_BKCHW - batch.image_BCHW[:, None]).abs() * LEVELS * PERCENT
    return {"known_error": masked_mean(percent_BKCHW, batch.known_B1HW)}


def needs(name: str) -> None:
    """No weights."""


def build(context: MetricContext, name: str) -> Metric:
    """The metric `known_error`."""
    return known_error
