"""What a figure is, and how a paper's figure is declared, whether it can be made yet or is waited for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from stages.evaluation.sweeps.points import Sweep
from stages.pages.drawings.charts import Chart
from stages.pages.embed import Picture
from stages.pages.testsets import SampledTestSet

IMAGES = 4  # a figure that shows several images


@dataclass(frozen=True)
class Figure:
    """A table of pictures: headings of columns, and rows of a name and its pictures (None: there is none)."""

    title: str
    about: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Picture | None, ...]], ...]


@dataclass(frozen=True)
class ChartFigure:
    """A figure that is charts, and where its numbers are from."""

    name: str
    title: str
    about: str
    charts: tuple[Chart, ...]


Make = Callable[[SampledTestSet, str], Iterator[Figure]]  # the figures of that name that a test set fills
Draw = Callable[[Sweep], Iterator[Chart]]  # the charts that a sweep's scores fill


@dataclass(frozen=True)
class PaperFigure:
    """A figure of a paper: its name there, what it shows, what has to be run for it, and how it is made.

    `make` is of pictures, `draw` of scores; both None where no method brings either yet.
    """

    name: str
    shows: str
    needs: str
    make: Make | None = None
    draw: Draw | None = None
