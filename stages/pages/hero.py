"""The picture at the top of the page: one image, and completions of it that differ and are plausible."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from stages.pages import pictures
from stages.pages.embed import Picture, picture
from stages.pages.found import Found
from stages.pages.testsets import SampledTestSet, alike
from stages.sampling.store import Samples

SAMPLES = 5


@dataclass(frozen=True)
class Hero:
    """What was given, and the first of `total` completions by one entry; `chosen` says why this image and entry."""

    key: str
    entry: str
    given: Picture
    samples: tuple[Picture, ...]
    total: int
    chosen: str


def find(found: Found) -> Hero | None:
    """Of all images whose holes hide something, the best scored to which an entry gave several answers."""
    for testset in found.testsets:
        for samples, key, chosen in _candidates(found, testset):
            if not testset.is_flat(key) and not alike(testset.composited(samples.raw_KHWC(key), key)):
                return _hero(testset, samples, key, chosen)
    return None


def _candidates(found: Found, testset: SampledTestSet) -> Iterator[tuple[Samples, str, str]]:
    """Entries of several samples with images, the best scores first; without scores, the shown images in turn."""
    several = {str(one.description["entry"]): one for one in testset.entries if one.description["samples"] > 1}
    for entry, key, chosen in _scored(found, testset):
        if entry in several and key in testset.positions:
            yield several[entry], key, chosen
    for samples in several.values():
        yield from ((samples, key, "the first image with completions that differ") for key in testset.shown(samples))


def _scored(found: Found, testset: SampledTestSet) -> Iterator[tuple[str, str, str]]:
    """Entries and images by the mean score of the image's samples, trained entries alone, by the first table of it."""
    table = next((one for one in found.tables if testset.under(one.card) and one.fidelity), None)
    if table is None:
        return
    long, trained = found.scores.long, {str(one.description["entry"]) for one in testset.trained}
    own = long[(long["protocol"] == table.protocol) & (long["metric"] == table.fidelity) & long["method"].isin(trained)]
    means = own.groupby(["method", "image"], observed=True)["value"].mean()
    label = next(column.label.text for column in table.columns if column.metric == table.fidelity)
    for entry, key in means.sort_values(ascending=table.better(table.fidelity) == "lower").index:
        yield str(entry), str(key), f"the best {label} among completions that differ"


def _hero(testset: SampledTestSet, samples: Samples, key: str, chosen: str) -> Hero:
    done_KHWC, entry = testset.composited(samples.raw_KHWC(key), key), samples.description["entry"]
    shown = (picture(one, f"{key}: {entry}, sample {k}") for k, one in enumerate(done_KHWC[:SAMPLES]))
    return Hero(key, entry, pictures.given(testset, key), tuple(shown), len(done_KHWC), chosen)
