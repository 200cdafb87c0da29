"""Where a method does worst: its images of the worst fidelity, by protocol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from stages.pages import words
from stages.pages.draws import Drawn, completed
from stages.pages.embed import Picture, masked, picture
from stages.pages.scatter import FIDELITY, first_of
from stages.pages.scores import Table
from stages.samples.store import Samples
from stages.scoring.scores import per_image

IMAGES = 6  # a row and protocol


@dataclass(frozen=True)
class Failure:
    """One image: what was given, what was made of it, the truth, and the figure that calls it a failure."""

    key: str
    value: str
    given: Picture
    answer: Picture
    truth: Picture


@dataclass(frozen=True)
class Failures:
    """A row's worst images under a protocol, worst first."""

    row: str
    protocol: str
    metric: str
    cases: tuple[Failure, ...]


def find(draws: Sequence[Drawn], tables: Sequence[Table], long: pd.DataFrame) -> list[Failures]:
    """Failures of every draw under its first protocol of composited output that has a fidelity."""
    judged = [(drawn, table) for drawn in draws if (table := _judging(drawn, tables)) is not None]
    return [
        found for drawn, table in judged for found in _of_draw(drawn, table, long[long["protocol"] == table.protocol])
    ]


def _judging(drawn: Drawn, tables: Sequence[Table]) -> Table | None:
    fitting = (table for table in tables if table.card["composite"] and drawn.under(table.card))
    return next((table for table in fitting if first_of(table, FIDELITY)), None)


def _of_draw(drawn: Drawn, table: Table, long: pd.DataFrame) -> list[Failures]:
    """The worst images of each method's first row that was trained; `long` is the table's protocol's."""
    metric = first_of(table, FIDELITY)
    first: dict[str, Samples] = {}
    for row in drawn.rows:
        if row.draw["trained_on"]:
            first.setdefault(row.draw["method"], row)
    return [_failures(drawn, row, table, metric, long) for row in first.values()]


def _failures(drawn: Drawn, row: Samples, table: Table, metric: str, long: pd.DataFrame) -> Failures:
    values = per_image(long[long["method"] == row.draw["row"]], metric, table.card["selection"])["value"].dropna()
    rising = next(column.better for column in table.columns if column.metric == metric) == "higher"
    worst = values.sort_values(ascending=rising, kind="stable").head(IMAGES)
    label = words.word(metric).label
    cases = [_failure(drawn, row, str(key), f"{label} {words.number(value)}") for key, value in worst.items()]
    return Failures(row.draw["row"], table.protocol, label, tuple(cases))


def _failure(drawn: Drawn, row: Samples, key: str, value: str) -> Failure:
    image_HWC, hole_HW = drawn.image(key), drawn.hole(key)
    answer_HWC = completed(row, key, image_HWC, hole_HW)[0]
    return Failure(
        key,
        value,
        masked(image_HWC, hole_HW, f"{key}: given"),
        picture(answer_HWC, f"{key}: {row.draw['row']}, {value}"),
        picture(image_HWC, f"{key}: original"),
    )
