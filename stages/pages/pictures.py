"""An image of a test set as pictures on the page: what was given, the original, and an entry's completions."""

from __future__ import annotations

from stages.pages.embed import Picture, masked, picture
from stages.pages.testsets import SampledTestSet
from stages.sampling.store import Samples


def given(testset: SampledTestSet, key: str) -> Picture:
    """The image with its hole."""
    return masked(testset.image(key), testset.hole(key), f"{key}: given")


def original(testset: SampledTestSet, key: str) -> Picture:
    """The whole image."""
    return picture(testset.image(key), f"{key}: original")


def first(testset: SampledTestSet, samples: Samples, key: str, words: str, composite: bool = True) -> Picture:
    """An entry's first completion, raw or with the known pixels put back; `words` say what it is."""
    raw_HWC = samples.raw_KHWC(key)[0]
    return picture(testset.composited(raw_HWC, key) if composite else raw_HWC, f"{key}: {words}")
