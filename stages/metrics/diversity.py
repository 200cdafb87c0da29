"""Diversity of an image's N completions: mean LPIPS over pairs, by three named estimators, or without a network.

`diversity_all_<net>`: all pairs (paper 000), exact in O(N): with LPIPS = |e_i - e_j|^2,
    sum over i<j of |e_i - e_j|^2 = N sum_i |e_i|^2 - |sum_i e_i|^2,
two running sums after subtracting the first completion's vector, so that the difference does not cancel.
`diversity_consecutive_<net>`: pairs (i, i + 1) (paper 001). `diversity_five_<net>`: five random pairs of distinct
completions, the same places for every image (paper 003). `..._hole`: in the hole's bounding box.
`diversity_pixel`: see `pixel_diversity`.
"""

from collections.abc import Mapping

from torch import Tensor

from stages.contract import UserError
from stages.metrics.core.batch import EvalBatch
from stages.metrics.core.contract import Better, Default, Metric, MetricContext
from stages.metrics.core.label import Label
from stages.metrics.core.lpips_input import LpipsInput
from stages.metrics.core.lpips_network import BACKBONES
from stages.metrics.core.pair_estimators import ESTIMATORS, AllPairs, SomePairs
from stages.metrics.core.pixel_diversity import PixelDiversity

NAMES = (*(f"diversity_{estimator}_{net}" for estimator in ESTIMATORS for net in BACKBONES), "diversity_pixel")
BETTER: Better = "higher"
LABELS = {
    "diversity_all": Label(
        "Diversity", "", "mean perceptual distance of all pairs of an image's samples", "diversity", rank=10
    ),
    "diversity_pixel": Label(
        "Pixel diversity", "%", "mean absolute difference of pairs of samples inside the hole", "diversity", rank=20
    ),
    "diversity_consecutive": Label(
        "Diversity, consecutive",
        "",
        "mean perceptual distance of neighbouring samples of an image",
        "diversity",
        rank=30,
    ),
    "diversity_five": Label(
        "Diversity, five pairs", "", "mean perceptual distance of five random pairs of samples", "diversity", rank=40
    ),
}
DEFAULTS = (Default("diversity_all_alex", samples=2), Default("diversity_pixel", samples=2))


class Diversity:
    """One estimator on one net's LPIPS."""

    def __init__(self, name: str, shown: LpipsInput, estimator: AllPairs | SomePairs) -> None:
        self.name, self.shown, self.estimator = name, shown, estimator

    def __call__(self, batch: EvalBatch) -> Mapping[str, Tensor]:
        if batch.total < 2:
            return {}
        rows_BKD = self.shown.completions(batch)
        if batch.first == 0:
            self.estimator.start(rows_BKD[:, 0], batch.total)
        for k in range(rows_BKD.shape[1]):
            self.estimator.add(batch.first + k, rows_BKD[:, k])
        return {self.name: self.estimator.value()} if batch.ends else {}


def needs(name: str) -> str | None:
    """The weights of the metric `name`; none for `diversity_pixel`."""
    return None if name == "diversity_pixel" else _parts(name)[1].backbone


def build(context: MetricContext, name: str) -> Metric:
    """The metric `diversity_pixel` or `diversity_<all|consecutive|five>_<net>[_hole]`."""
    if name == "diversity_pixel":
        return PixelDiversity()
    estimator, shown = _parts(name)
    shown.require(name, context)
    return Diversity(name, shown, ESTIMATORS[estimator]())


def _parts(name: str) -> tuple[str, LpipsInput]:
    estimator = name.split("_")[1] if "_" in name else ""
    if estimator not in ESTIMATORS:
        raise UserError(f"params: metric {name}: the estimators of diversity are {', '.join(ESTIMATORS)} and pixel")
    return estimator, LpipsInput.of(name.removeprefix(f"diversity_{estimator}_"), name)
