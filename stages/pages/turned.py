"""Plates from sweeps: the same holes filled at every point, from the pictures that the points kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from stages.pages.draws import Drawn
from stages.pages.embed import Picture, masked, picture
from stages.pages.plate import Plate
from stages.sweeps.pictures import Kept

KINDS = {"restrictive", "miracle"}  # of encoders, paper 000, Fig. 14


def encoders(drawn: Drawn, name: str) -> Iterator[Plate]:
    """Paper 000, Fig. 14: completions from a restrictive encoder's codes and from one that sees the whole image's."""
    for rows in groups(drawn):
        if _kinds(rows) >= KINDS:
            yield _plate(drawn, rows, f"{name}: what the encoder is given: {rows[0].row} on {drawn.name}")


def sweeps(draws: Sequence[Drawn]) -> list[Plate]:
    """One plate for every row of every other sweep, of the first of the draws that has it."""
    found: dict[tuple[str, str], Plate] = {}
    for drawn in draws:
        for rows in groups(drawn):
            about = (rows[0].sweep, rows[0].row)
            if about not in found and not _kinds(rows) >= KINDS:
                found[about] = _plate(drawn, rows, f"sweep {rows[0].sweep}: {rows[0].row} on {drawn.name}")
    return list(found.values())


def groups(drawn: Drawn) -> Iterator[list[Kept]]:
    """A draw's pictures by sweep and row: a list of points, two or more."""
    found: dict[tuple[str, str], list[Kept]] = {}
    for kept in drawn.turned:
        found.setdefault((kept.sweep, kept.row), []).append(kept)
    return (rows for rows in found.values() if len(rows) > 1)


def _kinds(rows: Iterable[Kept]) -> set[str]:
    given = (item for row in rows for item in row.point.overrides.items())
    return {str(value) for key, value in given if key.endswith(".encoder.kind")}


def _plate(drawn: Drawn, rows: Sequence[Kept], title: str) -> Plate:
    keys = sorted(set.intersection(*(set(row.pictures.keys) for row in rows)))
    heads = ("given", *(row.point.name.replace("_", " ").replace(",", ", ") for row in rows), "original")
    about = f"The first completion at every point of the sweep {rows[0].sweep}, with the known pixels put back."
    return Plate(title, about, heads, tuple((key, tuple(_line(drawn, rows, key))) for key in keys))


def _line(drawn: Drawn, rows: Sequence[Kept], key: str) -> Iterator[Picture]:
    image_HWC, hole_HW = drawn.image(key), drawn.hole(key)
    yield masked(image_HWC, hole_HW, f"{key}: given")
    for row in rows:
        made_HWC = np.where(hole_HW[..., None], row.pictures.first(key), image_HWC)
        yield picture(made_HWC, f"{key}: {row.point.name}")
    yield picture(image_HWC, f"{key}: original")
