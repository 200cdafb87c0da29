"""A list of image files, one a line, of which results tell the line's number (from 0 on) instead of a name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from pathlib import Path

from stages.contract import UserError
from stages.images.names import stem_of
from stages.sampling.external.pattern import Named

LIST = "index.txt"  # in the folder of results, where nobody names another list


def keys(path: Path, named: Collection[Named]) -> dict[str, str]:
    """The image's key by the number that results have in their names; UserError where the list does not tell it."""
    lines = _lines(path)
    beyond = sorted({int(one.image) for one in named if int(one.image) >= len(lines)})
    if beyond:
        raise UserError(f"{path}: {len(lines)} images, but a result is numbered {beyond[0]} (the first line is 0)")
    return {one.image: lines[int(one.image)] for one in named}


def _lines(path: Path) -> list[str]:
    """Every line's key; UserError where the list cannot be read, or names an image twice."""
    try:
        lines = [stem_of(Path(Path(line.strip()).name)) for line in path.read_text().splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: no list of images ({error}); give one by --index, a file a line") from error
    twice = next((key for key, count in Counter(lines).items() if count > 1), None)
    if twice is not None:
        raise UserError(f"{path}: {twice} is listed twice; a result would be of two images")
    return lines
