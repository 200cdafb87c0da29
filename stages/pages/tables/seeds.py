"""Where trainings differ by their seed alone: how much a score varies over seeds, over images, and over samples."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from stages.pages import labels

SEED = ".seed"  # how the name of a training's seed ends (methods.latent_codes.prior.loop.seed)


@dataclass(frozen=True)
class Spread:
    """One score: its mean over the seeds, and the standard deviations of seeds, images and samples apart."""

    protocol: str
    entry: str
    metric: str
    trainings: int
    mean: str
    seeds: str
    images: str
    samples: str


def spreads(frame: pd.DataFrame) -> Iterator[Spread]:
    """Of the summaries of several trainings; one of a set-level metric knows its seeds' alone."""
    for (protocol, entry, metric), own in frame.groupby(["protocol", "method", "metric"], sort=False):
        told = own.reindex(columns=["estimate", "std_images", "std_samples"]).astype(float)
        means = told.mean()
        yield Spread(
            str(protocol),
            str(entry),
            labels.label(str(metric)).text,
            len(own),
            labels.number(float(means["estimate"])),
            labels.number(float(told["estimate"].std(ddof=1))),
            labels.number(float(means["std_images"])),
            labels.number(float(means["std_samples"])),
        )
