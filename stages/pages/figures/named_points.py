"""How single points of a sweep fill a paper's figure: each is known by what it sets, and called as the paper has it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from stages.evaluation.sweeps.pictures import PointPictures
from stages.evaluation.sweeps.points import Point
from stages.pages.figures import swept
from stages.pages.figures.figure import Figure
from stages.pages.figures.swept import PointColumn
from stages.pages.testsets import SampledTestSet


@dataclass(frozen=True)
class NamedPoint:
    """The point that sets these values, by their keys' endings, and no other key; what of it is shown under a name."""

    name: str
    values: Mapping[str, str]
    composite: bool = True

    def matches(self, point: Point) -> bool:
        """Whether this is that point."""
        own = {ending: swept.set_by(point, ending) for ending in self.values}
        return own == self.values and len(point.overrides) == len(self.values)


Tell = Callable[[SampledTestSet, Sequence[PointColumn]], str]


@dataclass(frozen=True)
class PointsFigure:
    """A figure that shows `shows`: a column for each of `named`, all of which must be there, other points last.

    `tell` says something of the columns beside them.
    """

    shows: str
    named: tuple[NamedPoint, ...]
    tell: Tell = lambda testset, columns: ""

    def __call__(self, testset: SampledTestSet, name: str) -> Iterator[Figure]:
        """A figure of that name for every sweep and entry that fills it."""
        for points in swept.groups(testset):
            if self.filled_by(points):
                columns = self._columns(points)
                title, told = f"{name}: {self.shows}", self.tell(testset, columns)
                others = [kept for kept in points if not any(one.matches(kept.point) for one in self.named)]
                yield swept.figure(testset, [*columns, *swept.columns(others)], title, told)

    def filled_by(self, points: Iterable[PointPictures]) -> bool:
        """Whether every one of the points is there."""
        there = list(points)
        return all(any(one.matches(kept.point) for kept in there) for one in self.named)

    def _columns(self, points: Sequence[PointPictures]) -> list[PointColumn]:
        pairs = ((one, kept) for one in self.named for kept in points if one.matches(kept.point))
        return [PointColumn(one.name, kept, one.composite) for one, kept in pairs]
