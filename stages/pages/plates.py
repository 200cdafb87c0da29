"""Plates that the papers print, from rows that differ in the plate's parameters alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.pages.draws import Drawn, completed
from stages.pages.embed import Picture, masked, picture
from stages.pages.grids import shown
from stages.samples.store import Samples

IMAGES = 4  # a plate that shows several images


@dataclass(frozen=True)
class Plate:
    """A table of pictures: headings of columns, and lines of a name and its pictures (None: no such row)."""

    title: str
    about: str
    heads: tuple[str, ...]
    lines: tuple[tuple[str, tuple[Picture | None, ...]], ...]


def find(drawn: Drawn) -> Iterator[Plate]:
    """Every plate for which the draw has the rows."""
    for plate, varied in ((_decoding, ("decoding",)), (_sampling, ("temperature", "annealing"))):
        for rows in groups(drawn.rows, varied):
            yield from plate(drawn, rows)


def groups(rows: Sequence[Samples], varied: Sequence[str]) -> list[list[Samples]]:
    """Rows of one method, two or more, whose parameters are equal but for `varied`."""
    found: dict[str, list[Samples]] = {}
    for row in rows:
        params = row.draw["params"]
        if set(varied) <= set(params):
            kept = {key: value for key, value in params.items() if key not in varied}
            found.setdefault(json.dumps([row.draw["method"], kept], sort_keys=True), []).append(row)
    return [alike for alike in found.values() if len(alike) > 1]


def _decoding(drawn: Drawn, rows: Sequence[Samples]) -> Iterator[Plate]:
    """Paper 000, Fig. 4: codes decoded alone, the same with known pixels put back, and the coupled decoder."""
    by = {row.draw["params"]["decoding"]: row for row in rows}
    if not {"vanilla", "composed"} <= set(by):
        return
    asked = [("direct", "vanilla", False), ("composited", "vanilla", True), ("coupled", "composed", False)]

    def line(key: str) -> tuple[Picture | None, ...]:
        image_HWC, hole_HW = drawn.image(key), drawn.hole(key)
        pictures = [
            picture(_first(by[decoding], key, image_HWC, hole_HW, whole), f"{key}: {name}")
            for name, decoding, whole in asked
        ]
        return (masked(image_HWC, hole_HW, f"{key}: given"), *pictures, picture(image_HWC, f"{key}: original"))

    yield Plate(
        f"How codes are decoded: {rows[0].draw['method']} on {drawn.name}",
        "Direct: the codes alone, raw. Composited: the same with the known pixels put back, seams included. "
        "Coupled: codes and known pixels decoded together, raw.",
        ("given", *(name for name, _, _ in asked), "original"),
        tuple((key, line(key)) for key in shown(rows[0], drawn.keys)[:IMAGES]),
    )


def _sampling(drawn: Drawn, rows: Sequence[Samples]) -> Iterator[Plate]:
    """Paper 000, Figs. 6 and 13: one image's first sample by temperature and annealing."""
    key = shown(rows[0], drawn.keys)[0]
    image_HWC, hole_HW = drawn.image(key), drawn.hole(key)
    by = {(row.draw["params"]["temperature"], row.draw["params"]["annealing"]): row for row in rows}
    across, down = (sorted({pair[i] for pair in by}) for i in (1, 0))

    def cell(t: float, s: float) -> Picture | None:
        caption = f"{key}: temperature {t:g}, annealing {s:g}"
        return picture(_first(by[t, s], key, image_HWC, hole_HW, True), caption) if (t, s) in by else None

    yield Plate(
        f"Temperature and annealing: {rows[0].draw['method']} on {drawn.name}",
        f"The first sample of {key}: rows by temperature t, columns by annealing s.",
        tuple(f"s = {s:g}" for s in across),
        tuple((f"t = {t:g}", tuple(cell(t, s) for s in across)) for t in down),
    )


def _first(
    row: Samples, key: str, image_HWC: NDArray[np.uint8], hole_HW: NDArray[np.bool_], composite: bool
) -> NDArray[np.uint8]:
    return completed(row, key, image_HWC, hole_HW)[0] if composite else row.raw_KHWC(key)[0]
