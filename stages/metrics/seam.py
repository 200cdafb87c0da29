"""Seam error: is there a jump across the hole's border that the original does not have there? Percent of 255.

The mean |difference| of neighbouring pixels, one in the hole and one out of it, less the same of the original; the
absolute value, for a border that is too smooth shows as well. Composited completions are what it is meant for.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from stages.images.pixels import LEVELS
from stages.metrics.core.batch import EvalBatch
from stages.metrics.core.contract import Better, Metric, MetricContext
from stages.metrics.core.label import Label
from stages.metrics.core.pixel_difference import PERCENT

NAMES = ("seam",)
BETTER: Better = "lower"
LABELS = {
    "seam": Label(
        "Seam", "%", "jump across the hole's border beyond the original's, in percent of 255", "fidelity", rank=40
    )
}
DEFAULTS = ()


def seam(batch: EvalBatch) -> Mapping[str, Tensor]:
    """(B, K); NaN where the hole has no border."""
    original_B1 = jump(batch.image_BCHW[:, None], batch.known_B1HW)
    return {"seam": (jump(batch.judged_BKCHW, batch.known_B1HW) - original_B1).abs()}


def jump(image_BKCHW: Tensor, known_B1HW: Tensor) -> Tensor:
    """Mean |difference| over the pairs of neighbours that straddle the hole's border, (B, K)."""
    total_BK, pairs_B1 = torch.zeros(()), torch.zeros(())
    for axis in (-1, -2):
        straddles_B1HW = known_B1HW.diff(dim=axis).abs()
        total_BK = total_BK + (image_BKCHW.diff(dim=axis).abs() * straddles_B1HW[:, None]).sum(dim=(2, 3, 4))
        pairs_B1 = pairs_B1 + straddles_B1HW.sum(dim=(2, 3))
    return total_BK / (pairs_B1 * image_BKCHW.shape[2]) * LEVELS * PERCENT


def needs(name: str) -> None:
    """No weights."""


def build(context: MetricContext, name: str) -> Metric:
    """The metric `seam`."""
    return seam
