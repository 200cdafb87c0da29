"""Where completions of an image lie apart: the pixels of its hole, or LPIPS's embedding; distances in either.

`pixel`: the hole's pixels; a distance is the root mean square difference in it, in percent of 255. `lpips_<net>`
(`..._hole`: of the hole's bounding box): the vectors whose squared distance is LPIPS; a distance is the root of LPIPS.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from stages.contract import UserError
from stages.images.pixels import LEVELS
from stages.metrics.core.batch import EvalBatch
from stages.metrics.core.contract import MetricContext
from stages.metrics.core.lpips_input import LpipsInput
from stages.metrics.core.lpips_network import BACKBONES
from stages.metrics.core.pixel_difference import PERCENT

ENDINGS = ("pixel", *(f"lpips_{net}" for net in BACKBONES))  # of the names of metrics that know spaces
EXACT = "donot_use_mm_for_euclid_dist"  # products of vectors would cancel where completions lie close


class Space(Protocol):
    """Vectors of a batch's completions, (B, K, D), and of its images, (B, 1, D)."""

    @property
    def backbone(self) -> str | None: ...

    def require(self, name: str, context: MetricContext) -> None: ...

    def completions(self, batch: EvalBatch) -> Tensor: ...

    def originals(self, batch: EvalBatch) -> Tensor: ...


class HolePixels:
    """The pixels of the hole; NaN for an image that has none."""

    backbone = None

    def require(self, name: str, context: MetricContext) -> None:
        """Any image has pixels."""

    def completions(self, batch: EvalBatch) -> Tensor:
        """(B, K, C H W): 0 outside the hole."""
        return self._scaled(batch.judged_BKCHW, batch)

    def originals(self, batch: EvalBatch) -> Tensor:
        """(B, 1, C H W)."""
        return self._scaled(batch.image_BCHW[:, None], batch)

    def _scaled(self, image_BKCHW: Tensor, batch: EvalBatch) -> Tensor:
        hole_B11HW = 1.0 - batch.known_B1HW[:, None]
        cells_B1111 = hole_B11HW.sum(dim=(3, 4), keepdim=True) * image_BKCHW.shape[2]
        return (image_BKCHW * hole_B11HW * (LEVELS * PERCENT / cells_B1111.sqrt())).flatten(2)


def space(metric: str, name: str) -> Space:
    """That of `name`, which is `metric` and an ending; UserError where it is none."""
    ending = name.removeprefix(f"{metric}_")
    if ending == "pixel":
        return HolePixels()
    if not ending.startswith("lpips_"):
        raise UserError(f"params: metric {name}: write {metric}_pixel or {metric}_lpips_<net>")
    return LpipsInput.of(ending.removeprefix("lpips_"), name)


class Distances:
    """Distances (B, 1 + K, 1 + K) between an image, which is first, and its K completions; None before the last one.

    Keeps K vectors of length D an image until the last completion is seen, and never their differences: memory grows
    with K D, the cost with K^2 D.
    """

    def __init__(self, metric: str, name: str) -> None:
        self.key, self.space = f"distances_{name.removeprefix(f'{metric}_')}", space(metric, name)
        self.seen: list[Tensor] = []

    def __call__(self, batch: EvalBatch) -> Tensor | None:
        self.seen = [*(self.seen if batch.first else ()), self.space.completions(batch)]
        return batch.once(self.key, lambda: self._between(batch)) if batch.ends else None

    def _between(self, batch: EvalBatch) -> Tensor:
        rows_BND = torch.cat([self.space.originals(batch), *self.seen], dim=1)
        return torch.cdist(rows_BND, rows_BND, compute_mode=EXACT).double()
