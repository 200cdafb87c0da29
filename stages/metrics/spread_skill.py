"""Spread-skill ratio: how far samples lie apart, over how far their mean lies from the original; 1 is calibrated.

    ratio^2 = (1 + 1 / K) mean of |x - x'|^2 / 2 over pairs and images / mean of |m - y|^2 over images,
m the mean of an image's K completions: both are the variance of one draw where samples are drawn as originals are
(Fortin et al. 2014). Below 1 they are too narrow or beside the original, above too wide. `spread_skill_pixel`:
in the hole's pixels; `spread_skill_lpips_<net>` (`..._hole`): in LPIPS's embedding.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from stages.metrics.core.batch import EvalBatch
from stages.metrics.core.contract import Better, Default, MetricContext, require_samples
from stages.metrics.core.label import Label
from stages.metrics.core.spaces import ENDINGS, Distances, space

NAMES = tuple(f"spread_skill_{ending}" for ending in ENDINGS)
BETTER: Better = ""
LABELS = {
    "spread_skill": Label(
        "Spread/skill",
        "",
        "how far samples lie apart over how far their mean is off: 1 calibrated, below too narrow, above too wide",
        "distribution",
        rank=60,
    )
}
LEAST = 8  # completions: as for ranks
DEFAULTS = (Default("spread_skill_lpips_alex", samples=LEAST), Default("spread_skill_pixel", samples=LEAST))


class SpreadSkill:
    """What a draw of each image varies and errs; then the ratio of all images, or of some."""

    def __init__(self, name: str) -> None:
        self.name, self.distances = name, Distances("spread_skill", name)
        self.rows = (name,)

    def __call__(self, batch: EvalBatch) -> Mapping[str, Tensor]:
        between_BNN = self.distances(batch)
        return {} if between_BNN is None else {self.name: squares(between_BNN)}

    def whole(self, seen: Mapping[str, Tensor], sets_SN: Tensor) -> Mapping[str, float]:
        """All completions enter, whichever `sets` names."""
        return self.among(seen, torch.arange(sets_SN.shape[1]), sets_SN)

    def among(self, seen: Mapping[str, Tensor], images_M: Tensor, sets_SN: Tensor) -> Mapping[str, float]:
        """The ratio on the images of these positions alone; an image without a hole counts nowhere."""
        spread, skill = seen[self.name][images_M].nanmean(dim=0).tolist()
        return {self.name: (spread / skill) ** 0.5 if skill else float("nan")}


def squares(between_BNN: Tensor) -> Tensor:
    """Distances between an original, which is first, and its completions -> what a draw varies and errs, (B, 2)."""
    count = between_BNN.shape[1] - 1
    pairs_B = between_BNN[:, 1:, 1:].square().sum(dim=(1, 2)) / 2.0  # over i < j
    skill_B = between_BNN[:, 0, 1:].square().mean(dim=1) - pairs_B / count**2
    return torch.stack([(1.0 + 1.0 / count) * pairs_B / (count * (count - 1)), skill_B], dim=1)


def needs(name: str) -> str | None:
    """The weights of the metric `name`; none for `spread_skill_pixel`."""
    return space("spread_skill", name).backbone


def build(context: MetricContext, name: str) -> SpreadSkill:
    """The metric `spread_skill_pixel` or `spread_skill_lpips_<net>[_hole]`; TooFewError under eight samples."""
    require_samples(name, LEAST, context)
    space("spread_skill", name).require(name, context)
    return SpreadSkill(name)
