"""Paper 001: structures over their completions, and what attention and losses of features do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stages.images import files
from stages.pages import pictures
from stages.pages.embed import Picture, picture
from stages.pages.figures.figure import IMAGES, Figure, PaperFigure
from stages.pages.figures.swept import SweptFigure
from stages.pages.testsets import SampledTestSet
from stages.sampling.store import Samples

PAPER = "001"
STRUCTURES = ("structure", "structure-01", "structure-02", "structure-03")  # side pictures, of the first samples


def structures(testset: SampledTestSet, name: str) -> Iterator[Figure]:
    """Fig. 1: the structures that were drawn, and what was completed after each."""
    for samples in testset.entries:
        keys = [key for key in testset.shown(samples) if STRUCTURES[0] in samples.side(key)][:IMAGES]
        if keys:
            yield _structures(testset, samples, keys, name)


def _structures(testset: SampledTestSet, samples: Samples, keys: Sequence[str], name: str) -> Figure:
    drawn = [side for side in STRUCTURES if all(side in samples.side(key) for key in keys)]
    pairs = (f"{word} {k + 1}" for k in range(len(drawn)) for word in ("structure", "completion"))
    return Figure(
        f"{name}: structures and their completions: {samples.description['entry']} on {testset.name}",
        "Each structure, decoded alone, and the completion after it, with the known pixels put back.",
        ("given", *pairs, "original"),
        tuple((key, tuple(_row(testset, samples, key, drawn))) for key in keys),
    )


def _row(testset: SampledTestSet, samples: Samples, key: str, drawn: Sequence[str]) -> Iterator[Picture]:
    sides, done_KHWC = samples.side(key), testset.composited(samples.raw_KHWC(key), key)
    yield pictures.given(testset, key)
    for k, side in enumerate(drawn):
        yield picture(files.read_rgb(sides[side]), f"{key}: structure {k + 1}")
        yield picture(done_KHWC[k], f"{key}: completion {k + 1}")
    yield pictures.original(testset, key)


ATTENTION = SweptFigure(
    "attention on learned or structural features, cross or full",
    {".decoder.attention.features": ("learned", "structural"), ".decoder.attention.scope": ("cross", "full")},
)
LOSSES = SweptFigure(
    "losses of features",
    {".decoder.feature_losses": ("none", "structure", "texture", "both", "perceptual_style")},
)
FIGURES = (
    PaperFigure("001 F1", "structures over their completions", "samples with the side pictures structure*", structures),
    PaperFigure(
        "001 F5",
        "attention: learned or structural features, cross or full",
        "a sweep over decoder.attention.features and .scope with all values",
        ATTENTION,
    ),
    PaperFigure(
        "001 F6",
        "losses of features: none, structural, textural, both, perceptual and style",
        "a sweep over decoder.feature_losses with all values",
        LOSSES,
    ),
)
