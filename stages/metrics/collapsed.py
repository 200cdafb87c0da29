"""Are my samples actually different? 1 for an image whose completions all agree to one grey level, else 0."""

from collections.abc import Mapping

import torch
from torch import Tensor

from stages.images.pixels import LEVELS
from stages.metrics.core.batch import EvalBatch
from stages.metrics.core.contract import Better, Default, MetricContext
from stages.metrics.core.label import Label

NAMES = ("collapsed",)
BETTER: Better = "lower"
LABELS = {"collapsed": Label("collapsed", "", "whether all samples are one picture", "other", column=False)}
DEFAULTS = (Default("collapsed", samples=2),)


class Collapsed:
    """Running extremes of each pixel over an image's completions."""

    low_BCHW: Tensor
    high_BCHW: Tensor

    def __call__(self, batch: EvalBatch) -> Mapping[str, Tensor]:
        low_BCHW, high_BCHW = batch.judged_BKCHW.amin(dim=1), batch.judged_BKCHW.amax(dim=1)
        if batch.first:
            low_BCHW, high_BCHW = torch.minimum(low_BCHW, self.low_BCHW), torch.maximum(high_BCHW, self.high_BCHW)
        self.low_BCHW, self.high_BCHW = low_BCHW, high_BCHW
        if not batch.ends or batch.total < 2:
            return {}
        spread_B = (high_BCHW - low_BCHW).amax(dim=(1, 2, 3)) * LEVELS
        return {"collapsed": (spread_B < 1.5).double()}  # levels are whole numbers up to rounding


def needs(name: str) -> None:
    """No weights."""


def build(context: MetricContext, name: str) -> Collapsed:
    """The metric `collapsed`."""
    return Collapsed()
