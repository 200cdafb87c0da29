"""What a figure is, and how a paper's figure is declared, whether it can be made yet or is waited for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

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


Make = Callable[[SampledTestSet, str], Iterator[Figure]]  # the figures of that name that a test set fills


@dataclass(frozen=True)
class PaperFigure:
    """A figure of a paper: its name there, what it shows, what has to be run for it, and how it is made.

    `make` is None where no method brings its pictures yet.
    """

    name: str
    shows: str
    needs: str
    make: Make | None = None
