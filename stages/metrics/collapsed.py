"""Are my samples actually different? 1 for an image whose completions all agree to one grey level, else 0."""

from collections.abc import Mapping

import torch
from torch import Tensor

from stages.metrics.reconstruction import LEVELS
from stages.metrics.view import Axes, View

BETTER = "lower"


class Collapsed:
    """Running extremes of each pixel over an image's completions."""

    low_BCHW: Tensor
    high_BCHW: Tensor

    def __call__(self, view: View) -> Mapping[str, Tensor]:
        low_BCHW, high_BCHW = view.judged_BKCHW.amin(dim=1), view.judged_BKCHW.amax(dim=1)
        if view.first:
            low_BCHW, high_BCHW = torch.minimum(low_BCHW, self.low_BCHW), torch.maximum(high_BCHW, self.high_BCHW)
        self.low_BCHW, self.high_BCHW = low_BCHW, high_BCHW
        if not view.ends or view.total < 2:
            return {}
        spread_B = (high_BCHW - low_BCHW).amax(dim=(1, 2, 3)) * LEVELS
        return {"collapsed": (spread_B < 1.5).double()}  # levels are whole numbers up to rounding


def build(axes: Axes, name: str) -> Collapsed:
    """The metric `collapsed`."""
    return Collapsed()
