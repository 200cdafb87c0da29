"""How much of a score's spread is the trainings', the images' and the samples': a two-way layout, samples nested in it.

    value = mean + training + image + training x image + sample
Methods that differ only by their training's seed complete the same images: trainings and images are crossed, the
samples of one training and image nested in both. Components by the method of moments (Searle, Casella & McCulloch 1992,
Sec. 4.5); one below 0 is 0. Images come in clusters (crops of one photograph), which are what is drawn at random.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.evaluation.power import LEVEL, student_t
from stages.evaluation.statistics import sums, variance_of_mean

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Spread:
    """A mean over trainings and images, its 95 % interval for trainings and photographs anew, and what varies it.

    Standard deviations: of trainings, of images, of what a training does to one image (`both`), of the samples of one
    training and image. `samples` is NaN where there is one value a training and image; `both` then holds it, too.
    """

    estimate: float
    low: float
    high: float
    std_trainings: float
    std_images: float
    std_both: float
    std_samples: float


def spread(values_TIK: Floats, clusters: Sequence[str]) -> Spread:
    """Of at least two trainings, two images and any number of samples; `clusters` is an image's photograph."""
    trainings, images, samples = values_TIK.shape
    mean_TI = values_TIK.mean(axis=2)
    own_T, own_I = mean_TI.mean(axis=1), mean_TI.mean(axis=0)
    rest_TI = mean_TI - own_T[:, None] - own_I + mean_TI.mean()
    rest = float(np.square(rest_TI).sum()) / ((trainings - 1) * (images - 1))
    sample = float(values_TIK.var(axis=2, ddof=1).mean()) if samples > 1 else 0.0
    noise = _noise(rest_TI, clusters)
    low, high = _interval(own_T, own_I, noise, clusters)
    return Spread(
        float(mean_TI.mean()),
        low,
        high,
        _root(float(own_T.var(ddof=1)) - noise),
        _root(float(own_I.var(ddof=1)) - rest / trainings),
        _root(rest - sample / samples),
        sample**0.5 if samples > 1 else float("nan"),
    )


def _noise(rest_TI: Floats, clusters: Sequence[str]) -> float:
    """What of the variance of a training's mean is due to the photographs that it was seen on."""
    names, (trainings, images) = np.asarray(clusters, dtype=object), rest_TI.shape
    own = [variance_of_mean(sums(rest_I, names), images) for rest_I in rest_TI]
    return float(np.mean(own)) * trainings / (trainings - 1)


def _interval(own_T: Floats, own_I: Floats, noise: float, clusters: Sequence[str]) -> tuple[float, float]:
    """Both ways' variances of the mean, less what both hold; Satterthwaite's degrees of freedom."""
    totals_G = sums(own_I - own_I.mean(), np.asarray(clusters, dtype=object))
    ways = np.array([float(own_T.var(ddof=1)) / len(own_T), variance_of_mean(totals_G, len(own_I))])
    variance = max(float(ways.sum()) - noise / len(own_T), float(ways.max()))
    least = float(np.square(ways) @ (1.0 / np.array([len(own_T) - 1, max(1, len(totals_G) - 1)])))
    freedom = float(ways.sum()) ** 2 / least if least else 1.0
    half = student_t(0.5 + LEVEL / 2, freedom) * variance**0.5
    return float(own_I.mean()) - half, float(own_I.mean()) + half


def _root(variance: float) -> float:
    return max(0.0, variance) ** 0.5
