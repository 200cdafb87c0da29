"""Is the original like one of the samples? Its rank among them by distance from a random reference (Lemos et al. 2023).

TARP asks how often the original lies nearer to a reference than a share of the samples does. Its references may be
drawn in any way that does not look at the original: here each of the K completions is one in turn, and the K - 1
others are ranked against the original. In the middle of what is drawn a ball tells narrow from wide, and no picture
that no network has seen enters. Where samples are drawn as originals are, all K + 1 are exchangeable and the rank is
uniform, in whichever space and for any K.

The value of a completion is the rank of the original seen from it: the share of the others that are nearer (half of
those as near; half of itself), so that 0.5 is the mean of calibrated samples. Above, they are too narrow (or beside the
original), below too wide. `stages.evaluation.calibration` makes of these ranks the curve, its error and its p.
`calibration_pixel`: the hole's pixels; `calibration_lpips_<net>` (`..._hole`): the root of LPIPS.
"""

from collections.abc import Mapping

from torch import Tensor

from stages.metrics.core.batch import EvalBatch
from stages.metrics.core.contract import Better, Default, MetricContext, require_samples
from stages.metrics.core.label import Label
from stages.metrics.core.spaces import ENDINGS, Distances, space

NAMES = tuple(f"calibration_{ending}" for ending in ENDINGS)
BETTER: Better = ""
LABELS = {
    "calibration": Label(
        "Rank of original",
        "",
        "share of samples nearer to a sample than the original: 0.5 calibrated, above too narrow, below too wide",
        "distribution",
        rank=30,
    ),
    "calibration_error": Label(
        "Calibration error", "", "mean distance of the coverage from its level: 0 calibrated", "distribution", rank=40
    ),
    "calibration_p": Label(
        "Calibration p", "", "p of samples drawn as originals are", "distribution", rank=50, column=False
    ),
}
LEAST = 8  # completions: with fewer a rank has too few places to tell a curve
DEFAULTS = (Default("calibration_lpips_alex", samples=LEAST), Default("calibration_pixel", samples=LEAST))


class Calibration:
    """Ranks (B, K) by distances in one space, given with the last completion."""

    def __init__(self, name: str) -> None:
        self.name, self.distances = name, Distances("calibration", name)

    def __call__(self, batch: EvalBatch) -> Mapping[str, Tensor]:
        between_BNN = self.distances(batch)
        return {} if between_BNN is None else {self.name: ranks(between_BNN)}


def ranks(between_BNN: Tensor) -> Tensor:
    """Distances between an original, which is first, and its K completions -> its rank from each of these, (B, K)."""
    original_BK1, others_BKK = between_BNN[:, 1:, :1], between_BNN[:, 1:, 1:].clone()
    others_BKK.diagonal(dim1=1, dim2=2).fill_(float("inf"))  # a reference has no rank of its own
    nearer_BK = (others_BKK < original_BK1).sum(dim=2) + (others_BKK == original_BK1).sum(dim=2) / 2.0
    defined_BK = original_BK1[..., 0].isfinite()
    return ((nearer_BK + 0.5) / others_BKK.shape[1]).where(defined_BK, float("nan"))


def needs(name: str) -> str | None:
    """The weights of the metric `name`; none for `calibration_pixel`."""
    return space("calibration", name).backbone


def build(context: MetricContext, name: str) -> Calibration:
    """The metric `calibration_pixel` or `calibration_lpips_<net>[_hole]`; TooFewError under eight samples an image."""
    require_samples(name, LEAST, context)
    space("calibration", name).require(name, context)
    return Calibration(name)
