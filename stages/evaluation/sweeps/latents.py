"""Whether a sweep's points complete the same: the digests of what each drew before pixels, beside its pictures."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from stages.evaluation.sweeps.pictures import PointPictures
from stages.evaluation.sweeps.points import Sweep

SHOWN = 8  # hex digits


def told(sweep: Sweep, kept: Iterable[PointPictures]) -> list[str]:
    """A line for everything that points drew before pixels (structures, say); none for a sweep of one point."""
    found: dict[str, dict[tuple[str, str], dict[str, str]]] = {}
    for one in (one for one in kept if one.sweep == sweep.name):
        where = (one.entry, str(one.pictures.description["testset"]))
        for name, digest in one.pictures.description.get("latents", {}).items():
            found.setdefault(name, {}).setdefault(where, {})[one.point.name] = digest
    return [_line(name, by.values(), len(sweep.points)) for name, by in found.items() if len(sweep.points) > 1]


def _line(name: str, drawn: Collection[Mapping[str, str]], points: int) -> str:
    """`drawn` has the digests by point, for every entry and test set."""
    if any(len(set(by_point.values())) > 1 for by_point in drawn):
        return f"The points complete different {name}: what their scores differ by may be due to these."
    if any(len(by_point) < points for by_point in drawn):
        return f"Not every point tells which {name} it completes."
    digests = dict.fromkeys(digest[:SHOWN] for by_point in drawn for digest in by_point.values())
    return f"All points complete the same {name} (sha {', '.join(digests)})."
