"""The grid image x samples: what each row made of the same holes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stages import places
from stages.contract import UserError
from stages.images import pixels
from stages.images.dataset import Dataset
from stages.images.masks import MaskSet
from stages.pages.embed import Picture, masked, picture
from stages.samples.store import Finished

IMAGES = 6  # a draw; with side pictures where there are any
SAMPLES = 8  # an image and row


@dataclass(frozen=True)
class Answers:
    """One row's samples of one image, composited; `same` where all of them are one picture."""

    row: str
    samples: tuple[Picture, ...]
    sides: tuple[Picture, ...]
    total: int
    same: bool


@dataclass(frozen=True)
class Case:
    """One test image: what was given, the truth, and every row's answers."""

    key: str
    given: Picture
    truth: Picture
    answers: tuple[Answers, ...]


@dataclass(frozen=True)
class Grid:
    """One draw's cases; `missing` says why there are none."""

    draw: str
    cases: tuple[Case, ...]
    missing: str = ""


def read(samples: Path) -> list[Grid]:
    """A grid for every draw that some method finished; `samples` holds <method>/<draw>/<row>/."""
    finished: dict[str, list[Finished]] = {}
    for description in sorted(samples.glob("*/*/*/draw.json")):
        drawn = Finished.open(description.parent)
        finished.setdefault(drawn.draw["draw"], []).append(drawn)
    return [_grid(draw, sorted(rows, key=_order)) for draw, rows in finished.items()]


def _order(drawn: Finished) -> tuple[bool, str]:
    return not drawn.draw["trained_on"], drawn.draw["row"]


def _grid(draw: str, rows: Sequence[Finished]) -> Grid:
    first = rows[0].draw
    try:
        dataset = Dataset.open(places.shards(first["dataset"]), first["split"])
        holes = MaskSet.open(places.masks(first["dataset"]), first["masks"])
    except UserError as error:
        return Grid(draw, (), str(error))
    common = set.intersection(*(set(row.keys) for row in rows))
    shared = [key for key in rows[0].keys if key in common]
    where = {key: i for i, key in enumerate(dataset.keys)}
    return Grid(
        draw, tuple(_case(key, dataset.image(where[key]), holes.hole(key), rows) for key in shown(rows[0], shared))
    )


def shown(drawn: Finished, keys: Sequence[str]) -> list[str]:
    """At most IMAGES keys: from as many photographs as there are, those with side pictures first."""
    source = dict(zip(drawn.keys, drawn.sources, strict=True))
    turn: dict[str, int] = {}
    ranked: list[tuple[bool, int, int, str]] = []
    for key in keys:
        turn[source[key]] = turn.get(source[key], -1) + 1
        ranked.append((not drawn.side(key), turn[source[key]], len(ranked), key))
    return [key for *_, key in sorted(ranked)[:IMAGES]]


def _case(key: str, image_HWC: NDArray[np.uint8], hole_HW: NDArray[np.bool_], rows: Sequence[Finished]) -> Case:
    given, truth = masked(image_HWC, hole_HW, f"{key}: given"), picture(image_HWC, f"{key}: original")
    seen: set[bytes] = set()
    return Case(key, given, truth, tuple(_answers(key, image_HWC, hole_HW, row, seen) for row in rows))


def _answers(
    key: str, image_HWC: NDArray[np.uint8], hole_HW: NDArray[np.bool_], drawn: Finished, seen: set[bytes]
) -> Answers:
    row = drawn.draw["row"]
    raw_KHWC = drawn.raw_KHWC(key)
    done_KHWC = np.where(hole_HW[None, :, :, None], raw_KHWC, image_HWC[None])
    same = len(done_KHWC) > 1 and bool((done_KHWC == done_KHWC[:1]).all())
    kept = done_KHWC[: 1 if same else SAMPLES]
    pictures = tuple(picture(one, f"{key}: {row}, sample {k}") for k, one in enumerate(kept))
    return Answers(row, pictures, tuple(_sides(key, drawn, seen)), len(done_KHWC), same)


def _sides(key: str, drawn: Finished, seen: set[bytes]) -> Iterator[Picture]:
    """Side pictures of the image (not of one sample) that no row before this one has shown."""
    for name, path in drawn.side(key).items():
        if not name[-2:].isdigit() and path.read_bytes() not in seen:
            seen.add(path.read_bytes())
            yield picture(pixels.read_rgb(path), name.replace("_", " "))
