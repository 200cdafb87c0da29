"""Figures of what a sweep varied: the same holes filled at every point, from the pictures that the points kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Protocol, runtime_checkable

from stages.evaluation.sweeps.pictures import PointPictures
from stages.evaluation.sweeps.points import Point
from stages.pages import pictures
from stages.pages.embed import Picture, picture
from stages.pages.figures.figure import Figure
from stages.pages.testsets import SampledTestSet


@dataclass(frozen=True)
class PointColumn:
    """A point's first completions under a heading, raw or with the known pixels put back."""

    heading: str
    kept: PointPictures
    composite: bool = True


@runtime_checkable
class FilledBySweep(Protocol):
    """What makes a paper's figure of a sweep."""

    def filled_by(self, points: Iterable[PointPictures]) -> bool:
        """Whether the points are the figure's; a sweep whose points are none has a figure of its own."""
        ...


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
                yield figure(testset, columns(sorted(points, key=self._place)), f"{name}: {self.shows}")

    def filled_by(self, points: Iterable[PointPictures]) -> bool:
        """Whether every combination of the values is a point."""
        return {self._own(kept) for kept in points} >= set(product(*self.values.values()))

    def _own(self, kept: PointPictures) -> tuple[str, ...]:
        return tuple(set_by(kept.point, ending) for ending in self.values)

    def _place(self, kept: PointPictures) -> int:
        wanted, own = list(product(*self.values.values())), self._own(kept)
        return wanted.index(own) if own in wanted else len(wanted)


def find(testsets: Sequence[SampledTestSet], of_papers: Sequence[FilledBySweep]) -> list[Figure]:
    """One figure for every entry of every sweep that fills no paper's, of the first of the test sets that has it."""
    found: dict[tuple[str, str], Figure] = {}
    for testset in testsets:
        for points in groups(testset):
            about = (points[0].sweep, points[0].entry)
            if about not in found and not any(one.filled_by(points) for one in of_papers):
                found[about] = figure(testset, columns(points), f"sweep {about[0]}")
    return list(found.values())


def groups(testset: SampledTestSet) -> Iterator[list[PointPictures]]:
    """A test set's kept pictures by sweep and entry: a list of points, two or more."""
    found: dict[tuple[str, str], list[PointPictures]] = {}
    for kept in testset.swept:
        found.setdefault((kept.sweep, kept.entry), []).append(kept)
    return (points for points in found.values() if len(points) > 1)


def set_by(point: Point, ending: str) -> str:
    """What a point sets there; "" where it leaves the key alone."""
    return next((str(value) for key, value in point.overrides.items() if key.endswith(ending)), "")


def columns(points: Sequence[PointPictures]) -> list[PointColumn]:
    """Points under their own names."""
    return [PointColumn(kept.point.name.replace("_", " ").replace(",", ", "), kept) for kept in points]


def figure(testset: SampledTestSet, shown: Sequence[PointColumn], title: str, told: str = "") -> Figure:
    """The columns between what was given and the original, for the images that all have; `told` is said beside."""
    keys = sorted(set.intersection(*(set(column.kept.pictures.keys) for column in shown)))
    kept, but = shown[0].kept, "" if all(column.composite for column in shown) else ", but for what is raw"
    about = (
        f"The first completion at every point of the sweep {kept.sweep}, with the known pixels put back{but}. {told}"
    )
    heads = ("given", *(column.heading for column in shown), "original")
    rows = tuple((key, tuple(_row(testset, shown, key))) for key in keys)
    return Figure(f"{title}: {kept.entry} on {testset.name}", about.strip(), heads, rows)


def _row(testset: SampledTestSet, shown: Sequence[PointColumn], key: str) -> Iterator[Picture]:
    yield pictures.given(testset, key)
    for column in shown:
        raw_HWC = column.kept.pictures.first(key)
        seen_HWC = testset.composited(raw_HWC, key) if column.composite else raw_HWC
        yield picture(seen_HWC, f"{key}: {column.heading}")
    yield pictures.original(testset, key)
