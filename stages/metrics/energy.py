"""Energy score of an image's K completions x against its original y: a proper scoring rule, lower is better.

    E|x - y| - E|x - x'| / 2,   x and x' two different completions: unbiased over pairs for any K >= 2
(Gneiting & Raftery 2007, Sec. 4.3, beta = 1). Its mean is least for completions drawn as the originals are: copies
of one guess pay in the first term, noise pays more there than it gains in the second. `energy_pixel` is in the hole's
root mean square, percent of 255; `energy_lpips_<net>` (`..._hole`) in the root of LPIPS. The root, since with the
squared distance (beta = 2) only the mean would count, and any spread about it would score alike; with beta = 1 the rule
is strictly proper: no other distribution (of pixels, of embeddings) scores as well as the true one.
"""

from collections.abc import Mapping

from torch import Tensor

from stages.metrics.core.batch import EvalBatch
from stages.metrics.core.contract import Better, Default, MetricContext, require_samples
from stages.metrics.core.label import Label
from stages.metrics.core.spaces import ENDINGS, Distances, space

NAMES = tuple(f"energy_{ending}" for ending in ENDINGS)
BETTER: Better = "lower"
LABELS = {
    "energy": Label(
        "Energy", "", "distance of samples to the original, less half of that between samples", "distribution", rank=10
    ),
    "energy_pixel": Label(
        "Energy pixel",
        "%",
        "distance of samples to the original in the hole, less half of that between samples",
        "distribution",
        rank=20,
    ),
}
LEAST = 2  # completions: there is a pair of them
DEFAULTS = (Default("energy_lpips_alex", samples=LEAST), Default("energy_pixel", samples=LEAST))


class Energy:
    """The score of every image, by distances in one space."""

    def __init__(self, name: str) -> None:
        self.name, self.distances = name, Distances("energy", name)

    def __call__(self, batch: EvalBatch) -> Mapping[str, Tensor]:
        between_BNN = self.distances(batch)
        return {} if between_BNN is None else {self.name: energy(between_BNN)}


def energy(between_BNN: Tensor) -> Tensor:
    """Distances between an original, which is first, and its completions -> the score, (B,)."""
    pairs = (between_BNN.shape[1] - 1) * (between_BNN.shape[1] - 2)
    return between_BNN[:, 0, 1:].mean(dim=1) - between_BNN[:, 1:, 1:].sum(dim=(1, 2)) / pairs / 2.0


def needs(name: str) -> str | None:
    """The weights of the metric `name`; none for `energy_pixel`."""
    return space("energy", name).backbone


def build(context: MetricContext, name: str) -> Energy:
    """The metric `energy_pixel` or `energy_lpips_<net>[_hole]`; TooFewError under two samples an image."""
    require_samples(name, LEAST, context)
    space("energy", name).require(name, context)
    return Energy(name)
