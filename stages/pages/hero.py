"""The picture at the top of the page: one image, and completions of it that differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stages.pages import pictures
from stages.pages.embed import Picture, picture
from stages.pages.testsets import SampledTestSet, alike
from stages.sampling.store import Samples

SAMPLES = 5


@dataclass(frozen=True)
class Hero:
    """What was given, and the first of `total` completions by one entry."""

    key: str
    entry: str
    given: Picture
    samples: tuple[Picture, ...]
    total: int


def find(testsets: Sequence[SampledTestSet]) -> Hero | None:
    """The first shown image to which some entry gave several answers."""
    for testset in testsets:
        for key in testset.shown(testset.entries[0]):
            for samples in testset.entries:
                if samples.description["samples"] > 1 and not alike(testset.composited(samples.raw_KHWC(key), key)):
                    return _hero(testset, samples, key)
    return None


def _hero(testset: SampledTestSet, samples: Samples, key: str) -> Hero:
    done_KHWC, entry = testset.composited(samples.raw_KHWC(key), key), samples.description["entry"]
    shown = (picture(one, f"{key}: {entry}, sample {k}") for k, one in enumerate(done_KHWC[:SAMPLES]))
    return Hero(key, entry, pictures.given(testset, key), tuple(shown), len(done_KHWC))
