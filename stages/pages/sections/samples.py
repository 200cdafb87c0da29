"""Samples: the grid image x samples, what each entry made of the same holes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from stages.images import files
from stages.pages import pictures
from stages.pages.embed import Picture, picture
from stages.pages.found import Found
from stages.pages.section import Content, Nothing
from stages.pages.testsets import SampledTestSet, alike
from stages.sampling.store import Samples

TITLE = "Samples"
ORDER = 20
SAMPLES = 8  # of an image and entry
FIRST = 2  # images of a test set that are not folded


@dataclass(frozen=True)
class Answers:
    """One entry's samples of one image, composited; `same` where all of them are one picture."""

    entry: str
    samples: tuple[Picture, ...]
    sides: tuple[Picture, ...]
    same: bool


@dataclass(frozen=True)
class Case:
    """One test image: what was given, the truth, and every entry's answers."""

    key: str
    given: Picture
    truth: Picture
    answers: tuple[Answers, ...]


@dataclass(frozen=True)
class Grid:
    """One test set's cases; `missing` says why there are none."""

    testset: str
    cases: tuple[Case, ...]
    missing: str = ""


def content(found: Found) -> Content | Nothing:
    """A grid a test set, those that could not be had last."""
    if not found.testsets and not found.unread:
        return Nothing("Nothing is sampled yet: run plurifill sample METHOD, or dvc repro.")
    grids = [Grid(one.name, tuple(_cases(one))) for one in found.testsets]
    unread = [Grid(name, (), reason) for name, reason in found.unread.items()]
    return {"grids": [*grids, *unread], "explorer": found.explorer, "first": FIRST}


def _cases(testset: SampledTestSet) -> Iterator[Case]:
    for key in testset.shown(testset.entries[0]):
        seen: set[bytes] = set()
        answers = tuple(_answers(testset, samples, key, seen) for samples in testset.entries)
        yield Case(key, pictures.given(testset, key), pictures.original(testset, key), answers)


def _answers(testset: SampledTestSet, samples: Samples, key: str, seen: set[bytes]) -> Answers:
    entry = samples.description["entry"]
    done_KHWC = testset.composited(samples.raw_KHWC(key), key)
    same = alike(done_KHWC)
    kept = done_KHWC[: 1 if same else SAMPLES]
    shown = tuple(picture(one, f"{key}: {entry}, sample {k}") for k, one in enumerate(kept))
    return Answers(entry, shown, tuple(_sides(samples, key, seen)), same)


def _sides(samples: Samples, key: str, seen: set[bytes]) -> Iterator[Picture]:
    """Side pictures of the image (not of one sample) that no entry before this one has shown."""
    for name, path in samples.side(key).items():
        if not name[-2:].isdigit() and path.read_bytes() not in seen:
            seen.add(path.read_bytes())
            yield picture(files.read_rgb(path), name.replace("_", " "))
