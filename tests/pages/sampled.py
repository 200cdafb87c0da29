"""Sampled test sets and what sweeps' points kept of them, made by inpainters that a test chooses."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from stages.contract import Inpainter
from stages.evaluation.sweeps import pictures
from stages.pages import testsets
from stages.pages.testsets import SampledTestSet
from stages.project import paths
from stages.project.entries import Entry
from stages.sampling import exports
from stages.sampling.sampler import Sampler, Work, fill
from stages.sampling.store import SampleStore
from stages.sampling.testsets import TestSetParams, open_testset
from tests.evaluation.sweeps.made import finish


def complete(entry: str, inpainter: Inpainter, samples: int = 5, trained_on: Sequence[str] = ("toy",)) -> SampleStore:
    """The entry's samples of the toy project's test set `centre`, finished."""
    one = Entry.parse(entry)
    testset = open_testset("centre", TestSetParams(dataset="toy", masks="centre", samples=samples))
    told = {"entry": entry, "method": one.method, "trained_on": list(trained_on), "params": {}, **testset.identity()}
    place = paths.samples(one.method) / "centre" / one.folder
    fill(Work(testset, one, Sampler(lambda: inpainter, torch.device("cpu")), place), told)
    return SampleStore.open(place)


def keep(sweep: str, overrides: Mapping[str, Any], finished: SampleStore) -> None:
    """A finished point of a sweep, named by its values, that kept pictures of these samples."""
    name = ",".join(map(str, overrides.values()))
    finish(paths.sweeps() / sweep, name, overrides, 20.0)
    place = paths.sweeps() / sweep / f"{name}.pictures" / finished.description["method"] / "centre" / "plain"
    exports.write(finished, place, finished.keys[:2], 1)


def read() -> SampledTestSet:
    """The test set as a page has it."""
    (found,), missing = testsets.read(paths.root() / "samples", list(pictures.read(paths.sweeps())))
    assert not missing
    return found
