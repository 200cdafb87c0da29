"""Where a method does worst: its images of the worst fidelity, by protocol."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from stages.evaluation.scores import per_image
from stages.pages import labels, pictures
from stages.pages.embed import Picture
from stages.pages.tables.table import Table
from stages.pages.testsets import SampledTestSet
from stages.sampling.store import Samples

IMAGES = 6  # of an entry under a protocol


@dataclass(frozen=True)
class Failure:
    """One image: what was given, what was made of it, the truth, and the score that calls it a failure."""

    key: str
    value: str
    given: Picture
    answer: Picture
    truth: Picture


@dataclass(frozen=True)
class Failures:
    """An entry's worst images under a protocol, worst first."""

    entry: str
    protocol: str
    metric: str
    cases: tuple[Failure, ...]


def find(testsets: Sequence[SampledTestSet], tables: Sequence[Table], long: pd.DataFrame) -> list[Failures]:
    """Failures of every test set under its first protocol of composited output that has a fidelity."""
    judged = [(testset, table) for testset in testsets if (table := _judging(testset, tables)) is not None]
    return [found for testset, table in judged for found in _of(testset, table, long)]


def _judging(testset: SampledTestSet, tables: Sequence[Table]) -> Table | None:
    fitting = (table for table in tables if table.card["composite"] and testset.under(table.card))
    return next((table for table in fitting if table.fidelity), None)


def _of(testset: SampledTestSet, table: Table, long: pd.DataFrame) -> Iterator[Failures]:
    """The worst images of each trained method's first entry."""
    own, metric = long[long["protocol"] == table.protocol], table.fidelity
    for samples in testset.trained:
        entry, label = samples.description["entry"], labels.label(metric).text
        values = per_image(own[own["method"] == entry], metric, table.card["selection"])["value"].dropna()
        rising = table.better(metric) == "higher"
        worst = values.sort_values(ascending=rising, kind="stable").head(IMAGES)
        told = {str(key): f"{label} {labels.number(value)}" for key, value in worst.items()}
        cases = tuple(_failure(testset, samples, key, value) for key, value in told.items())
        yield Failures(entry, table.protocol, label, cases)


def _failure(testset: SampledTestSet, samples: Samples, key: str, value: str) -> Failure:
    return Failure(
        key,
        value,
        pictures.given(testset, key),
        pictures.first(testset, samples, key, f"{samples.description['entry']}, {value}"),
        pictures.original(testset, key),
    )
