"""The page's first words: which entry is best at what, how sure that is, and what is missing.

Read off the first table that no paper defines, since a page's first screen holds one protocol.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from stages.pages import labels
from stages.pages.found import Found
from stages.pages.sections import cost
from stages.pages.tables.cells import Cell
from stages.pages.tables.table import Column, Table
from stages.pages.tables.winners import LEVEL
from stages.project.params import dig

PAPER = re.compile(r"p(\d{3})-")  # how protocols that a paper defines are named, after its number
HEADS = {
    "fidelity": "Nearest to the original, pixel by pixel",
    "perception": "Looks most like originals",
    "diversity": "Differs most from sample to sample",
    "distribution": "Spread most as originals are",
}  # by the group of columns, of which the first that has a direction speaks
RIVALS = 2  # named in a sentence; the table has all


@dataclass(frozen=True)
class Answer:
    """Who is best at `what`, by which `figure` (its name and value), and how sure that is."""

    what: str
    entry: str
    figure: str
    sure: str


@dataclass(frozen=True)
class Front:
    """What the first screen says of `protocol`; `missing` are lines of what is not there and how to get it."""

    protocol: str
    answers: tuple[Answer, ...]
    missing: tuple[str, ...]


def paper_of(protocol: str) -> str:
    """The number of the paper that defines the protocol; "" where none does."""
    match = PAPER.match(protocol)
    return match[1] if match else ""


def find(found: Found) -> Front | None:
    """The front's words; None where nothing is scored."""
    tables = sorted(
        (table for table in found.tables if table.columns), key=lambda table: bool(paper_of(table.protocol))
    )
    if not tables:
        return None
    answers = [*_best(tables[0]), *_fastest(found, tables[0])]
    return Front(tables[0].protocol, tuple(answers), tuple(_missing(found)))


def _best(table: Table) -> Iterator[Answer]:
    for group, what in HEADS.items():
        columns = [(at, one) for at, one in enumerate(table.columns) if one.label.group == group and one.better]
        found = next(((at, one) for at, one in columns if any(row.cells[at].best for row in table.rows)), None)
        if found:
            yield _answer(table, *found, what)


def _answer(table: Table, at: int, column: Column, what: str) -> Answer:
    best = next(row for row in table.rows if row.cells[at].best)
    figure = f"{column.label.text} {best.cells[at].text}{column.label.unit and f' {column.label.unit}'}"
    return Answer(what, best.name, figure, _sure(table, at, column, best.name))


def _sure(table: Table, at: int, column: Column, best: str) -> str:
    """How sure it is that the best estimate is the best entry's own."""
    if table.few:
        return f"too few photographs ({table.sources}) to say more"
    pairs = table.verdict.pairs
    pairs = pairs[pairs["metric"] == column.metric]
    if pairs.empty:
        return _apart({row.name: row.cells[at] for row in table.rows}, best)
    unsure = pairs[((pairs["a"] == best) | (pairs["b"] == best)) & ~(pairs["p_holm"] < LEVEL)]
    rivals = [b if a == best else a for a, b in zip(unsure["a"], unsure["b"], strict=True)]
    return f"not told apart from {_listed(rivals)}" if rivals else "beyond chance against every other row"


def _apart(cells: dict[str, Cell], best: str) -> str:
    """Of a value of the whole set, which has no value an image to be tested by: by intervals."""
    own = cells[best]
    if own.low is None or own.high is None:
        return "one value of the whole set, without an interval"
    bounded = [(name, cell.low, cell.high) for name, cell in cells.items() if name != best]
    over = [
        name
        for name, low, high in bounded
        if low is not None and high is not None and low <= own.high and own.low <= high
    ]
    return f"its interval overlaps with that of {_listed(over)}" if over else "its interval lies apart from all others"


def _listed(names: list[str]) -> str:
    more = len(names) - RIVALS
    return ", ".join(names[:RIVALS]) + (f" and {more} more" if more > 0 else "")


def _fastest(found: Found, table: Table) -> Iterator[Answer]:
    """Of the entries that were trained, on the test set of that table."""
    trained = {name for name, cards in found.scores.cards.items() if any(card["trained_on"] for card in cards.values())}
    testset = next((one.name for one in found.testsets if one.under(table.card)), "")
    timed = [row for row in cost.totals(found.scores.cost) if row["method"] in trained and row["testset"] == testset]
    if timed:
        first = min(timed, key=cost.seconds_a_sample)
        figure = f"{cost.milliseconds(cost.seconds_a_sample(first))} a sample"
        yield Answer("Fastest of the trained", first["method"], figure, f"on {first['device']}")


def _missing(found: Found) -> Iterator[str]:
    scored = {str(name).partition("/")[0] for name in found.scores.cards}
    methods = dig(found.values, "methods") if found.values else {}
    for method in methods:
        if method not in scored and method != "external":
            yield f"{method} is not scored yet: dvc repro benchmark@{method}"
    if metrics := sorted({labels.label(row["metric"]).text for row in found.scores.absent}):
        yield f"{_listed(metrics)} could not be had (why: below the tables); plurifill doctor --fetch gets networks"
