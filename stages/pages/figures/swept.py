"""Figures of what a sweep varied: the same holes filled at every point, from the pictures that the points kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from stages.evaluation.sweeps.pictures import PointPictures
from stages.pages import pictures
from stages.pages.embed import Picture, picture
from stages.pages.figures.figure import Figure
from stages.pages.testsets import SampledTestSet

KINDS = {"restrictive", "miracle"}  # of encoders, paper 000, Fig. 14


def encoders(testset: SampledTestSet, name: str) -> Iterator[Figure]:
    """Paper 000, Fig. 14: completions from a restrictive encoder's codes and from one that sees the whole image's."""
    for points in groups(testset):
        if _kinds(points) >= KINDS:
            title = f"{name}: what the encoder is given: {points[0].entry} on {testset.name}"
            yield _figure(testset, points, title)


def find(testsets: Sequence[SampledTestSet]) -> list[Figure]:
    """One figure for every entry of every other sweep, of the first of the test sets that has it."""
    found: dict[tuple[str, str], Figure] = {}
    for testset in testsets:
        for points in groups(testset):
            about = (points[0].sweep, points[0].entry)
            if about not in found and not _kinds(points) >= KINDS:
                found[about] = _figure(testset, points, f"sweep {about[0]}: {about[1]} on {testset.name}")
    return list(found.values())


def groups(testset: SampledTestSet) -> Iterator[list[PointPictures]]:
    """A test set's kept pictures by sweep and entry: a list of points, two or more."""
    found: dict[tuple[str, str], list[PointPictures]] = {}
    for kept in testset.swept:
        found.setdefault((kept.sweep, kept.entry), []).append(kept)
    return (points for points in found.values() if len(points) > 1)


def _kinds(points: Iterable[PointPictures]) -> set[str]:
    given = (item for kept in points for item in kept.point.overrides.items())
    return {str(value) for key, value in given if key.endswith(".encoder.kind")}


def _figure(testset: SampledTestSet, points: Sequence[PointPictures], title: str) -> Figure:
    keys = sorted(set.intersection(*(set(kept.pictures.keys) for kept in points)))
    heads = ("given", *(kept.point.name.replace("_", " ").replace(",", ", ") for kept in points), "original")
    about = f"The first completion at every point of the sweep {points[0].sweep}, with the known pixels put back."
    return Figure(title, about, heads, tuple((key, tuple(_row(testset, points, key))) for key in keys))


def _row(testset: SampledTestSet, points: Sequence[PointPictures], key: str) -> Iterator[Picture]:
    yield pictures.given(testset, key)
    for kept in points:
        yield picture(testset.composited(kept.pictures.first(key), key), f"{key}: {kept.point.name}")
    yield pictures.original(testset, key)
