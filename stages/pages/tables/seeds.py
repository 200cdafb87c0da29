"""Where trainings differ by their seed: how much a score varies over seeds, over images, and over samples."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from stages.pages import labels

FIGURES = ("estimate", "std_seeds", "std_images", "std_samples")  # columns of `together`, as `Spread` has them


@dataclass(frozen=True)
class Spread:
    """One score: its mean over the seeds, and the standard deviations of seeds, images and samples apart.

    `values` are those of the keys that vary beside the seeds.
    """

    protocol: str
    entry: str
    metric: str
    values: tuple[str, ...]
    trainings: int
    mean: str
    seeds: str
    images: str
    samples: str


def spreads(together: pd.DataFrame) -> Iterator[Spread]:
    """Of trainings taken together (`evaluation.sweeps.seeds`); one of a set-level metric knows its seeds' alone."""
    for (protocol, entry, metric), own in together.groupby(["protocol", "method", "metric"], sort=False):
        for row in own.to_dict("records"):
            figures = (labels.number(float(row[name])) for name in FIGURES)
            text = labels.label(str(metric)).text
            yield Spread(str(protocol), str(entry), text, row["values"], int(row["trainings"]), *figures)
