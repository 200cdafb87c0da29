"""Where trainings differ by their seed alone: their score as one row, and what varies it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from stages.evaluation.sweeps import trainings
from stages.evaluation.sweeps.points import Sweep
from stages.pages import labels

SPREADS = ("std_trainings", "std_images", "std_both", "std_samples")  # columns of `trainings.rows`


@dataclass(frozen=True)
class Spread:
    """One score over its trainings: the mean with its interval, and the standard deviations of SPREADS.

    `values` are those of the keys that vary beside the seeds.
    """

    protocol: str
    entry: str
    metric: str
    values: tuple[str, ...]
    trainings: int
    mean: str
    stds: tuple[str, ...]


def spreads(sweep: Sweep) -> Iterator[Spread]:
    """Of every score that has a column; one of a set-level metric knows its trainings' alone."""
    for row in trainings.rows(sweep).to_dict("records"):
        if labels.is_column(row["metric"]):
            mean = f"{labels.number(row['estimate'])} ({labels.number(row['low'])} to {labels.number(row['high'])})"
            stds = tuple(labels.number(row[name]) for name in SPREADS)
            text = labels.label(row["metric"]).text
            yield Spread(row["protocol"], row["method"], text, row["values"], row["trainings"], mean, stds)
