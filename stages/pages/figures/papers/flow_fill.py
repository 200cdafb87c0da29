"""Paper 003: one image's content in another's hole, and large holes."""

from __future__ import annotations

from collections.abc import Iterator

from stages.images import files
from stages.pages import pictures
from stages.pages.embed import Picture, picture
from stages.pages.figures.figure import IMAGES, Figure, PaperFigure
from stages.pages.testsets import SampledTestSet
from stages.sampling.store import Samples

PAPER = "003"
LARGE = 0.6  # the mean hole's share of the picture from which a test set's holes are large: the 80 % box has .64
TRANSFER = ("transfer_target", "transfer")  # side pictures of a method that can carry content over


def transfer(testset: SampledTestSet, name: str) -> Iterator[Figure]:
    """Fig. 6: the hole filled after another image."""
    for samples in testset.entries:
        keys = [key for key in testset.shown(samples) if set(samples.side(key)) >= set(TRANSFER)]
        if keys:
            yield Figure(
                f"{name}: one image's content in another's hole: {samples.description['entry']} on {testset.name}",
                "The hole is filled after the target, another test image; known pixels are the source's.",
                ("given", "target", "filled after it", "original"),
                tuple((key, _transferred(testset, samples, key)) for key in keys[:IMAGES]),
            )


def _transferred(testset: SampledTestSet, samples: Samples, key: str) -> tuple[Picture, ...]:
    sides = samples.side(key)
    target, filled = (picture(files.read_rgb(sides[side]), f"{key}: {side}") for side in TRANSFER)
    return pictures.given(testset, key), target, filled, pictures.original(testset, key)


def large_holes(testset: SampledTestSet, name: str) -> Iterator[Figure]:
    """Fig. 7: holes that leave little of the picture, filled by every trained method."""
    entries = {samples.description["entry"]: samples for samples in testset.trained}
    if not entries or testset.hole_ratio < LARGE:
        return
    keys = testset.shown(next(iter(entries.values())))[:IMAGES]
    yield Figure(
        f"{name}: large holes: {testset.name}",
        "The first sample of every trained method, composited; holes that leave little of the picture.",
        ("given", *entries, "original"),
        tuple((key, _filled(testset, entries, key)) for key in keys),
    )


def _filled(testset: SampledTestSet, entries: dict[str, Samples], key: str) -> tuple[Picture, ...]:
    made = [pictures.first(testset, samples, key, entry) for entry, samples in entries.items()]
    return (pictures.given(testset, key), *made, pictures.original(testset, key))


FIGURES = (
    PaperFigure("003 F6", "one image's content in another's hole", "samples of a method that can transfer", transfer),
    PaperFigure("003 F7", "large holes", "samples of a trained method in holes of six tenths and more", large_holes),
)
