"""Differences in grey levels that the pixel metrics share; axes as in `batch`."""

import torch.nn.functional as F
from torch import Tensor

from stages.images.pixels import LEVELS
from stages.metrics.core.batch import EvalBatch

PERCENT = 100.0 / 255.0  # of one grey level


def difference(batch: EvalBatch) -> Tensor:
    """judged - image in grey levels, (B, K, C, H, W)."""
    return batch.once("difference", lambda: (batch.judged_BKCHW - batch.image_BCHW[:, None]) * LEVELS)


def masked_mean(value_BKCHW: Tensor, where_B1HW: Tensor) -> Tensor:
    """Mean over channels and the pixels where `where` is 1, (B, K); NaN where there are none."""
    weight_B11HW = where_B1HW[:, None]
    total_BK = (value_BKCHW * weight_B11HW).sum(dim=(2, 3, 4))
    return total_BK / (where_B1HW.sum(dim=(1, 2, 3)) * value_BKCHW.shape[2])[:, None]


def band(known_B1HW: Tensor) -> Tensor:
    """1 within `size // 32` pixels (at least 1) of the hole's border, on both of its sides."""
    reach = max(1, known_B1HW.shape[-1] // 32)
    window, hole_B1HW = 2 * reach + 1, 1.0 - known_B1HW
    near_hole_B1HW = F.max_pool2d(hole_B1HW, window, stride=1, padding=reach)
    near_known_B1HW = F.max_pool2d(known_B1HW, window, stride=1, padding=reach)
    return near_hole_B1HW * near_known_B1HW
