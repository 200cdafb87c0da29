"""Figures of what a sweep varied: the same holes filled at every point, from the pictures that the points kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from stages.evaluation.sweeps.pictures import PointPictures
from stages.pages import pictures
from stages.pages.embed import Picture, picture
from stages.pages.figures.figure import Figure
from stages.pages.testsets import SampledTestSet


@dataclass(frozen=True)
class SweptFigure:
    """How a sweep fills a paper's figure: what it shows, and the values that its points set, by their keys' endings.

    All combinations of these values must be there; columns stand in their order, other points last.
    """

    shows: str
    values: Mapping[str, tuple[str, ...]]

    def __call__(self, testset: SampledTestSet, name: str) -> Iterator[Figure]:
        """A figure of that name for every sweep and entry that fills it."""
        for points in groups(testset):
            if self.filled_by(points):
                title = f"{name}: {self.shows}: {points[0].entry} on {testset.name}"
                yield _figure(testset, sorted(points, key=self._place), title)

    def filled_by(self, points: Iterable[PointPictures]) -> bool:
        """Whether every combination of the values is a point."""
        return {self._own(kept) for kept in points} >= set(product(*self.values.values()))

    def _own(self, kept: PointPictures) -> tuple[str, ...]:
        return tuple(_value(kept, ending) for ending in self.values)

    def _place(self, kept: PointPictures) -> int:
        wanted, own = list(product(*self.values.values())), self._own(kept)
        return wanted.index(own) if own in wanted else len(wanted)


def find(testsets: Sequence[SampledTestSet], of_papers: Sequence[SweptFigure]) -> list[Figure]:
    """One figure for every entry of every sweep that fills no paper's, of the first of the test sets that has it."""
    found: dict[tuple[str, str], Figure] = {}
    for testset in testsets:
        for points in groups(testset):
            about = (points[0].sweep, points[0].entry)
            if about not in found and not any(one.filled_by(points) for one in of_papers):
                found[about] = _figure(testset, points, f"sweep {about[0]}: {about[1]} on {testset.name}")
    return list(found.values())


def groups(testset: SampledTestSet) -> Iterator[list[PointPictures]]:
    """A test set's kept pictures by sweep and entry: a list of points, two or more."""
    found: dict[tuple[str, str], list[PointPictures]] = {}
    for kept in testset.swept:
        found.setdefault((kept.sweep, kept.entry), []).append(kept)
    return (points for points in found.values() if len(points) > 1)


def _value(kept: PointPictures, ending: str) -> str:
    """What a point sets there; "" where it leaves the key alone."""
    return next((str(value) for key, value in kept.point.overrides.items() if key.endswith(ending)), "")


def _figure(testset: SampledTestSet, points: Sequence[PointPictures], title: str) -> Figure:
    keys = sorted(set.intersection(*(set(kept.pictures.keys) for kept in points)))
    heads = ("given", *(kept.point.name.replace("_", " ").replace(",", ", ") for kept in points), "original")
    about = f"The first completion at every point of the sweep {points[0].sweep}, with the known pixels put back."
    return Figure(title, about, heads, tuple((key, tuple(_row(testset, points, key))) for key in keys))


def _row(testset: SampledTestSet, points: Sequence[PointPictures], key: str) -> Iterator[Picture]:
    yield pictures.given(testset, key)
    for kept in points:
        yield picture(testset.composited(kept.pictures.first(key), key), f"{key}: {kept.point.name}")
    yield pictures.original(testset, key)
