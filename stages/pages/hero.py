"""The picture at the top of the page: one image, and completions of it that differ and are plausible."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from operator import itemgetter

from stages.images.pixels import Uint8
from stages.pages import pictures
from stages.pages.answers import paper_of
from stages.pages.embed import Picture, picture
from stages.pages.found import Found
from stages.pages.tables.table import Table
from stages.pages.testsets import STRUCTURE, SampledTestSet, alike
from stages.sampling.store import Samples

SAMPLES = 5
SHARE = 0.2  # of the picture, at least, that is hidden
APART = 4.0  # grey levels by which completions differ in the hole, at least, to be seen to


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
    """The best scored completions that are seen to differ, of a hole that hides structure; or else what there is."""
    ranked = list(_ranked(found)) or list(_unscored(found))
    best = next((one for one in ranked if one.tells), None)
    best = best or next((one for one in ranked if not one.testset.is_flat(one.key) and not alike(one.done_KHWC)), None)
    return _hero(best) if best else None


@dataclass(frozen=True)
class _Candidate:
    """Several completions of an image by one entry; `chosen` says why they are shown."""

    testset: SampledTestSet
    samples: Samples
    key: str
    chosen: str

    @property
    def done_KHWC(self) -> Uint8:
        return self.testset.composited(self.samples.raw_KHWC(self.key), self.key)

    @property
    def tells(self) -> bool:
        """Whether there is something to see: much is hidden, it has structure, and the completions differ."""
        hole_HW = self.testset.hole(self.key)
        if hole_HW.mean() < SHARE or self.testset.hidden(self.key) < STRUCTURE:
            return False
        return bool(self.done_KHWC[:, hole_HW].std(axis=0).mean() >= APART)


def _ranked(found: Found) -> Iterator[_Candidate]:
    """Trained entries' images, the best mean scores first, on protocols that no paper defines if there are such."""
    scored = [one for one in found.tables if one.fidelity]
    own = [one for one in scored if not paper_of(one.protocol)] or scored
    fitting = [one for one in own if one.fidelity == own[0].fidelity and one.card["composite"]]
    pairs = [(table, one) for table in fitting for one in found.testsets if one.under(table.card)]
    values = [value for table, testset in pairs for value in _scored(found, table, testset)]
    higher = bool(fitting) and fitting[0].better(fitting[0].fidelity) == "higher"
    return (one for _, one in sorted(values, key=itemgetter(0), reverse=higher))


def _scored(found: Found, table: Table, testset: SampledTestSet) -> Iterator[tuple[float, _Candidate]]:
    several = {str(one.description["entry"]): one for one in testset.trained if _several(one)}
    long, metric = found.scores.long, table.fidelity
    own = long[(long["protocol"] == table.protocol) & (long["metric"] == metric) & long["method"].isin(several)]
    label = next(column.label.text for column in table.columns if column.metric == metric)
    means = own.groupby(["method", "image"], observed=True)["value"].mean()
    for (entry, key), value in zip(means.index, means, strict=True):
        if key in testset.positions:
            chosen = f"the best {label} of {table.protocol} among completions that differ"
            yield value, _Candidate(testset, several[str(entry)], str(key), chosen)


def _unscored(found: Found) -> Iterator[_Candidate]:
    """Without scores the shown images in turn."""
    for testset in found.testsets:
        for samples in filter(_several, testset.entries):
            for key in testset.shown(samples):
                yield _Candidate(testset, samples, key, "the first image with completions that differ")


def _several(samples: Samples) -> bool:
    return bool(samples.description["samples"] > 1)


def _hero(one: _Candidate) -> Hero:
    done_KHWC, entry = one.done_KHWC, one.samples.description["entry"]
    shown = (picture(done, f"{one.key}: {entry}, sample {k}") for k, done in enumerate(done_KHWC[:SAMPLES]))
    return Hero(one.key, entry, pictures.given(one.testset, one.key), tuple(shown), len(done_KHWC), one.chosen)
