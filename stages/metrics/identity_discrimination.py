"""P-IDS and U-IDS (Zhao et al. 2021, CoModGAN): can a linear machine tell completions from images by their features?

A linear SVM is fitted on all features, and judged on the very same ones:
    U-IDS = its error (0.5: cannot tell), P-IDS = the share of pairs whose completion it finds more real than the image.
Two random sets of n points in d dimensions are separable as often as not at n = d + 1, and nearly always below (Cover
1965): both scores are then 0 whatever the method. Refused there.
"""

import numpy as np
from torch import Tensor

from stages.metrics.core.contract import Better, Default, MetricContext, require_images
from stages.metrics.core.label import Label
from stages.metrics.core.set_metric import ImageFeatures, SetComparison

NAMES = ("identity_discrimination",)
BETTER: Better = "higher"
LABELS = {
    "identity_discrimination_paired": Label(
        "P-IDS", "", "share of completions that a linear machine finds more real than their original", "perception", 80
    ),
    "identity_discrimination_unpaired": Label(
        "U-IDS", "", "error of a linear machine that tells completions from originals", "perception", 81
    ),
}
DEFAULTS = (Default("identity_discrimination", images=1000),)  # of fewer than LEAST, too: the reader is told
LEAST = 2048 + 2  # images; 2048 features


def discriminate(real_ND: Tensor, fake_ND: Tensor) -> tuple[float, float]:
    """P-IDS and U-IDS of pairs (row i, row i)."""
    from sklearn.svm import LinearSVC  # here: it takes a second, and most metrics do without it

    real, fake = real_ND.numpy(), fake_ND.numpy()
    inputs, targets = np.concatenate([real, fake]), np.repeat([1, 0], [len(real), len(fake)])
    machine = LinearSVC(dual=False).fit(inputs, targets)
    more_real = machine.decision_function(fake) > machine.decision_function(real)
    return float(more_real.mean()), float(1.0 - machine.score(inputs, targets))


def compare(real_ND: Tensor, fake_ND: Tensor) -> dict[str, float]:
    """Both scores of one completion an image."""
    paired, unpaired = discriminate(real_ND, fake_ND)
    return {"identity_discrimination_paired": paired, "identity_discrimination_unpaired": unpaired}


def needs(name: str) -> str:
    """The weights of the metric."""
    return "inception"


def build(context: MetricContext, name: str) -> SetComparison[Tensor]:
    """The metric `identity_discrimination`: both scores; TooFewError under the least number of images."""
    require_images(name, LEAST, context, "with fewer, any two sets are separable")
    return SetComparison(ImageFeatures("inception", context), lambda real_ND: real_ND, compare)
