"""What a sweep's points drew: the first completions of a few images, kept beside the points' scores.

`<point>.pictures/<method>/<testset>/` in reports/sweeps/<name>, as `plurifill export` leaves it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from stages.evaluation.sweeps import points
from stages.evaluation.sweeps.points import Point, Sweep
from stages.project.files import visible
from stages.sampling.exports import Exported


@dataclass(frozen=True)
class PointPictures:
    """One entry's pictures of one test set at one point."""

    sweep: str
    point: Point
    pictures: Exported

    @property
    def entry(self) -> str:
        """The method, or its variant."""
        return str(self.pictures.description["entry"])


def read(folder: Path) -> Iterator[PointPictures]:
    """Every finished point's pictures below `folder` (reports/sweeps), the points in the order of their values."""
    for swept in points.read_all(folder):
        yield from of(swept, folder / swept.name)


def of(swept: Sweep, folder: Path) -> Iterator[PointPictures]:
    """The pictures that the points of one sweep kept in its folder (reports/sweeps/<name>)."""
    for point in swept.points:
        for description in visible(folder / f"{point.name}.pictures", "*/*/*.json"):
            yield PointPictures(swept.name, point, Exported.open(description))
