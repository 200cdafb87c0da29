"""The grid image x samples: what each row made of the same holes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.images import pixels
from stages.pages.draws import Drawn, alike, completed
from stages.pages.embed import Picture, masked, picture
from stages.samples.draws import by_turns
from stages.samples.store import Samples

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


def grid(drawn: Drawn) -> Grid:
    """A draw's first few cases."""
    chosen = shown(drawn.rows[0], drawn.keys)
    return Grid(drawn.name, tuple(_case(key, drawn.image(key), drawn.hole(key), drawn.rows) for key in chosen))


def shown(drawn: Samples, keys: Sequence[str]) -> list[str]:
    """At most IMAGES keys: from as many photographs as there are, those with side pictures first."""
    source = dict(zip(drawn.keys, drawn.sources, strict=True))
    return sorted(by_turns(keys, [source[key] for key in keys]), key=lambda key: not drawn.side(key))[:IMAGES]


def _case(key: str, image_HWC: NDArray[np.uint8], hole_HW: NDArray[np.bool_], rows: Sequence[Samples]) -> Case:
    given, truth = masked(image_HWC, hole_HW, f"{key}: given"), picture(image_HWC, f"{key}: original")
    seen: set[bytes] = set()
    return Case(key, given, truth, tuple(_answers(key, image_HWC, hole_HW, row, seen) for row in rows))


def _answers(
    key: str, image_HWC: NDArray[np.uint8], hole_HW: NDArray[np.bool_], drawn: Samples, seen: set[bytes]
) -> Answers:
    row = drawn.draw["row"]
    done_KHWC = completed(drawn, key, image_HWC, hole_HW)
    same = alike(done_KHWC)
    kept = done_KHWC[: 1 if same else SAMPLES]
    pictures = tuple(picture(one, f"{key}: {row}, sample {k}") for k, one in enumerate(kept))
    return Answers(row, pictures, tuple(_sides(key, drawn, seen)), len(done_KHWC), same)


def _sides(key: str, drawn: Samples, seen: set[bytes]) -> Iterator[Picture]:
    """Side pictures of the image (not of one sample) that no row before this one has shown."""
    for name, path in drawn.side(key).items():
        if not name[-2:].isdigit() and path.read_bytes() not in seen:
            seen.add(path.read_bytes())
            yield picture(pixels.read_rgb(path), name.replace("_", " "))
