"""Paper 000: token masks, how codes are decoded, temperature by annealing, and what the encoder is given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stages.images import files
from stages.pages import pictures
from stages.pages.embed import Picture, picture
from stages.pages.figures.figure import IMAGES, Figure, PaperFigure
from stages.pages.figures.swept import SweptFigure
from stages.pages.figures.variants import groups
from stages.pages.testsets import SampledTestSet
from stages.sampling.store import Samples

PAPER = "000"
ALPHA = "alpha-"  # how the side pictures of token masks by alpha begin; then alpha in hundredths
DECODED = (("direct", "vanilla", False), ("composited", "vanilla", True), ("coupled", "composed", False))


def token_masks(testset: SampledTestSet, name: str) -> Iterator[Figure]:
    """Fig. 3: which tokens are read off, by the share alpha of a window that must be seen."""
    for samples in testset.entries:
        shown = testset.shown(samples)
        keys = [key for key in shown if any(side.startswith(ALPHA) for side in samples.side(key))]
        if keys:
            yield _by_alpha(testset, samples, keys[:IMAGES], name)
            return  # the mask of tokens is the same for all entries


def _by_alpha(testset: SampledTestSet, samples: Samples, keys: Sequence[str], name: str) -> Figure:
    alphas = [side for side in samples.side(keys[0]) if side.startswith(ALPHA)]
    heads = {side: f"alpha = {int(side.removeprefix(ALPHA)) / 100:g}" for side in alphas}

    def row(key: str) -> tuple[Picture | None, ...]:
        sides = samples.side(key)
        masks = [picture(files.read_rgb(sides[side]), f"{key}: {head}") for side, head in heads.items()]
        return (pictures.given(testset, key), *masks)

    return Figure(
        f"{name}: which tokens are read off: {samples.description['method']} on {testset.name}",
        "White: enough of what lies below the token is seen at every halving; black: left to be drawn.",
        ("given", *heads.values()),
        tuple((key, row(key)) for key in keys),
    )


def decoding(testset: SampledTestSet, name: str) -> Iterator[Figure]:
    """Fig. 4: codes decoded alone, the same with known pixels put back, and the coupled decoder."""
    for entries in groups(testset.entries, ("decoding",)):
        by = {samples.description["params"]["decoding"]: samples for samples in entries}
        if {"vanilla", "composed"} <= set(by):
            yield Figure(
                f"{name}: how codes are decoded: {entries[0].description['method']} on {testset.name}",
                "Direct: the codes alone, raw. Composited: the same with the known pixels put back, seams included. "
                "Coupled: codes and known pixels decoded together, raw.",
                ("given", *(way for way, _, _ in DECODED), "original"),
                tuple((key, _decoded(testset, by, key)) for key in testset.shown(entries[0])[:IMAGES]),
            )


def _decoded(testset: SampledTestSet, by: dict[str, Samples], key: str) -> tuple[Picture, ...]:
    made = [pictures.first(testset, by[decoding], key, way, composite) for way, decoding, composite in DECODED]
    return (pictures.given(testset, key), *made, pictures.original(testset, key))


def sampling(testset: SampledTestSet, name: str) -> Iterator[Figure]:
    """Figs. 6 and 13: one image's first sample by temperature and annealing."""
    for entries in groups(testset.entries, ("temperature", "annealing")):
        yield _grid(testset, entries, name)


def _grid(testset: SampledTestSet, entries: Sequence[Samples], name: str) -> Figure:
    key = testset.shown(entries[0])[0]
    params = [samples.description["params"] for samples in entries]
    by = {(one["temperature"], one["annealing"]): samples for one, samples in zip(params, entries, strict=True)}
    across, down = (sorted({pair[i] for pair in by}) for i in (1, 0))

    def cell(t: float, s: float) -> Picture | None:
        words = f"temperature {t:g}, annealing {s:g}"
        return pictures.first(testset, by[t, s], key, words) if (t, s) in by else None

    return Figure(
        f"{name}: temperature and annealing: {entries[0].description['method']} on {testset.name}",
        f"The first sample of {key}: rows by temperature t, columns by annealing s.",
        tuple(f"s = {s:g}" for s in across),
        tuple((f"t = {t:g}", tuple(cell(t, s) for s in across)) for t in down),
    )


ENCODERS = SweptFigure("what the encoder is given", {".encoder.kind": ("miracle", "restrictive")})
FIGURES = (
    PaperFigure("000 F3", "token masks by alpha", "samples with the side pictures alpha-*", token_masks),
    PaperFigure(
        "000 F4", "codes decoded alone, composited, coupled", "variants that differ in decoding alone", decoding
    ),
    PaperFigure("000 F6, F13", "temperature by annealing", "variants that differ in these two alone", sampling),
    PaperFigure("000 F14", "restrictive against miracle encoder", "a sweep over encoder.kind with both", ENCODERS),
)
