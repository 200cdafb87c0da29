"""The page put together: values from the other rooms, the templates, one string of HTML. Everything is escaped."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from stages.pages.cost import Cost
from stages.pages.data import Data
from stages.pages.failures import Failures
from stages.pages.grids import Answers, Case, Grid
from stages.pages.plate import Missing, Plate
from stages.pages.scatter import Scatter
from stages.pages.scores import Table
from stages.pages.sweeps import Chart, Sweep
from stages.pages.training import Trained
from stages.pages.words import number

HASH = re.compile("[0-9a-f]{64}")
SECTIONS = (
    ("results", "Results"),
    ("samples", "Samples"),
    ("plates", "Plates"),
    ("sweeps", "Sweeps"),
    ("training", "Training"),
    ("cost", "Cost"),
    ("data", "Data"),
    ("protocols", "Protocols"),
    ("provenance", "Provenance"),
)


@dataclass(frozen=True)
class Content:
    """All that the page shows. Warnings and reasons of absence come with the rows that they concern.

    `explorer` is the address of the image explorer beside the page, "" where there is none.
    """

    tables: Sequence[Table]
    grids: Sequence[Grid]
    trained: Sequence[Trained]
    costs: Sequence[Cost]
    datasets: Sequence[Data]
    draws: Sequence[Mapping[str, Any]]
    warnings: Sequence[tuple[str, Sequence[str]]]
    absent: Sequence[tuple[str, Sequence[str]]]
    origin: Sequence[tuple[str, str]]
    params: str
    scatters: Sequence[Scatter] = ()
    plates: Sequence[Plate] = ()
    awaited: Sequence[Missing] = ()
    failures: Sequence[Failures] = ()
    sweeps: Sequence[Sweep] = ()
    best: Sequence[Chart] = ()
    explorer: str = ""


@dataclass(frozen=True)
class Hero:
    """The picture at the top: one case and the answers that differ."""

    case: Case
    answers: Answers


def render(content: Content) -> str:
    """The whole page; it asks for nothing outside of itself."""
    page = environment().get_template("page.html.jinja")
    return page.render(**vars(content), sections=SECTIONS, lead=lead(content), hero=hero(content.grids))


def environment() -> Environment:
    """The templates' words; everything that they print is escaped."""
    made = Environment(
        loader=PackageLoader("stages.pages"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    made.filters |= {"told": told, "breakable": breakable, "figure": number}
    return made


def lead(content: Content) -> str:
    """The page in two sentences."""
    rows = list(dict.fromkeys(row.name for table in content.tables for row in table.rows))
    if not rows:
        return "Completions of images with holes. No method is scored yet; what is there is shown below."
    protocols = ", ".join(table.protocol for table in content.tables)
    return (
        f"{_count(len(rows), 'way')} of completing the same images under the same holes, "
        f"scored on {_count(len(content.tables), 'protocol')} ({protocols}). "
        "Every figure bears its 95 % interval and the card of how it was measured."
    )


def hero(grids: Sequence[Grid]) -> Hero | None:
    """The first image to which some row gave several answers."""
    for grid in grids:
        for case in grid.cases:
            for answers in case.answers:
                if len(answers.samples) > 1:
                    return Hero(case, answers)
    return None


def told(value: Any) -> str:
    """A card's value in words; of a hash, the first digits."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {told(one)}" for key, one in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(map(told, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = "none" if value is None else str(value)
    return text[:12] if HASH.fullmatch(text) else text


def breakable(name: str) -> Markup:
    """A name that a narrow column may break after / and _."""
    return Markup(re.sub("([/_])", r"\1<wbr>", str(escape(name))))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
