"""Weight-free diversity: mean over pairs of completions and over the hole of |x_i - x_j|, in percent of 255.

Exact in O(N log N): for sorted values x_(0) <= ... <= x_(N-1), the sum over pairs is sum_i (2i - N + 1) x_(i).
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from stages.images.pixels import LEVELS
from stages.metrics.core.batch import EvalBatch
from stages.metrics.core.pixel_difference import PERCENT


class PixelDiversity:
    """Keeps an image's completions as uint8 until the last one is seen."""

    def __init__(self) -> None:
        self.seen: list[Tensor] = []

    def __call__(self, batch: EvalBatch) -> Mapping[str, Tensor]:
        levels_BKCHW = ((batch.judged_BKCHW + 1.0) * LEVELS).round().to(torch.uint8)
        self.seen = [levels_BKCHW] if batch.first == 0 else [*self.seen, levels_BKCHW]
        if not batch.ends or batch.total < 2:
            return {}
        hole_B1HW = 1.0 - batch.known_B1HW
        pairs_BCHW = mean_over_pairs(torch.cat(self.seen, dim=1)) * hole_B1HW
        cells_B = hole_B1HW.sum(dim=(1, 2, 3)) * pairs_BCHW.shape[1]
        return {"diversity_pixel": pairs_BCHW.sum(dim=(1, 2, 3)) / cells_B * PERCENT}


def mean_over_pairs(levels_BKCHW: Tensor) -> Tensor:
    """Mean |x_i - x_j| over the K (K - 1) / 2 pairs, (B, C, H, W) in float64."""
    total = levels_BKCHW.shape[1]
    sorted_BKCHW = levels_BKCHW.sort(dim=1).values.double()
    weight_K = 2.0 * torch.arange(total, device=levels_BKCHW.device, dtype=torch.float64) - total + 1.0
    return torch.einsum("bkchw,k->bchw", sorted_BKCHW, weight_K) / (total * (total - 1) / 2)
