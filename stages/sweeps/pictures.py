"""What a sweep's points drew: the first completions of a few images, kept beside the points' scores.

`<point>.pictures/<method>/<draw>/` in reports/sweeps/<name>, as `plurifill export` leaves it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from stages.samples.exported import Exported
from stages.sweeps import points
from stages.sweeps.points import Point


@dataclass(frozen=True)
class Kept:
    """One row's pictures of one draw at one point."""

    sweep: str
    point: Point
    pictures: Exported

    @property
    def row(self) -> str:
        """The method, or its variant."""
        return str(self.pictures.draw["row"])


def read(folder: Path) -> Iterator[Kept]:
    """Every finished point's pictures below `folder` (reports/sweeps), the points in the order of their values."""
    for swept in points.read_all(folder):
        for point in swept.points:
            kept = folder / swept.name / f"{point.name}.pictures"
            for description in sorted(kept.glob("*/*/*.json")):
                yield Kept(swept.name, point, Exported.open(description))
