"""`lpips_<net>`: LPIPS of every completion to its original; `lpips_<net>_hole`: in the hole's bounding box.

See `stages.metrics.core.lpips_network` for the distance itself.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from stages.metrics.core.batch import EvalBatch
from stages.metrics.core.contract import Better, Default, MetricContext
from stages.metrics.core.label import Label
from stages.metrics.core.lpips_input import LpipsInput
from stages.metrics.core.lpips_network import BACKBONES

NAMES = tuple(f"lpips_{net}" for net in BACKBONES)
BETTER: Better = "lower"
LABELS = {"lpips": Label("LPIPS", "", "learned perceptual distance to the original", "perception", rank=10)}
DEFAULTS = (Default("lpips_alex"), Default("lpips_squeeze"))


class LpipsToTruth:
    """LPIPS of every completion to its original."""

    def __init__(self, name: str, shown: LpipsInput) -> None:
        self.name, self.shown = name, shown

    def __call__(self, batch: EvalBatch) -> Mapping[str, Tensor]:
        return {self.name: (self.shown.completions(batch) - self.shown.originals(batch)).square().sum(dim=2)}


def _shown(name: str) -> LpipsInput:
    return LpipsInput.of(name.removeprefix("lpips_"), name)


def needs(name: str) -> str:
    """The weights of the metric `lpips_<net>[_hole]`."""
    return _shown(name).backbone


def build(context: MetricContext, name: str) -> LpipsToTruth:
    """The metric `lpips_<net>`, or `lpips_<net>_hole`; AbsentError where its backbone cannot be had."""
    shown = _shown(name)
    shown.require(name, context)
    return LpipsToTruth(name, shown)
