"""Nights: what a sweep scored on a date. Its points may be made anew later; a night stays."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from flows import files
from flows.results import Results

STAMP = "%Y-%m-%dT%H%M%SZ"  # sorts by time, and is a folder's name everywhere


def keep(results: Results, points: Iterable[str], commit: str) -> Path | None:
    """`nights/<now>/` in the sweep's folder: links to the files of its finished points; None where none is finished.

    A point that is made anew gets new files; none is ever changed.
    """
    finished = [path for point in points if results.is_finished(point, commit) for path in results.paths(point)]
    if not finished:
        return None
    night = results.folder / "nights" / datetime.now(UTC).strftime(STAMP)
    night.parent.mkdir(exist_ok=True)
    files.write(night, lambda part: files.link_all(finished, part))
    return night
