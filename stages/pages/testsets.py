"""Sampled test sets: the originals, the holes, and every entry's completions of the same images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stages.contract import UserError
from stages.evaluation.sweeps.pictures import PointPictures
from stages.images.dataset import Dataset
from stages.images.masks import MaskSet
from stages.images.pixels import Bool, Uint8
from stages.project import paths
from stages.sampling import store
from stages.sampling.store import Samples, SampleStore
from stages.sampling.testsets import Holes, Images, by_turns

SAME = ("dataset", "split", "masks", "mask_hash", "images", "samples", "size", "seed")  # of a card and of a test set
IDENTITY = ("testset", "dataset_hash", *SAME)  # of a test set, whoever completed it
SHOWN = 6  # images of a test set on the page; the explorer has all of them
FLAT = 12.0  # grey levels: where what a hole hides varies by less, there is nothing to see
STRUCTURE = 35.0  # grey levels: where it varies by more, there are edges to go on


@dataclass(frozen=True)
class SampledTestSet:
    """A test set and its entries' samples (what is trained first), over the images `keys` that all of these have."""

    name: str
    entries: tuple[Samples, ...]
    keys: tuple[str, ...]
    positions: Mapping[str, int]
    dataset: Images
    holes: Holes
    swept: tuple[PointPictures, ...] = ()  # the pictures of it that points of sweeps kept

    def image(self, key: str) -> Uint8:
        """The original, uint8 (H, W, 3)."""
        return self.dataset.image(self.positions[key])

    def hole(self, key: str) -> Bool:
        """hole_HW."""
        return self.holes.hole(key)

    def composited(self, raw: Uint8, key: str) -> Uint8:
        """A completion (H, W, 3) of an image, or several (K, H, W, 3), with the known pixels put back."""
        return np.where(self.hole(key)[..., None], raw, self.image(key))

    def shown(self, samples: Samples) -> list[str]:
        """At most SHOWN keys, from as many photographs as there are.

        Those whose hole hides structure come first, flat ones last, and of alike ones those with side pictures first.
        """
        source = dict(zip(samples.keys, samples.sources, strict=True))
        ordered = by_turns(self.keys, [source[key] for key in self.keys])
        flat, found = list[str](), list[str]()
        for pictured in (True, False):
            plain = list[str]()
            for key in (key for key in ordered if bool(samples.side(key)) is pictured):
                if len(found) >= SHOWN:  # no image is decoded that is not needed
                    break
                hidden = self.hidden(key)
                (flat if hidden < FLAT else plain if hidden < STRUCTURE else found).append(key)
            found += plain
        return (found + flat)[:SHOWN]

    def is_flat(self, key: str) -> bool:
        """Whether what the hole hides is all but one colour."""
        return self.hidden(key) < FLAT

    def hidden(self, key: str) -> float:
        """By how many grey levels that which the hole hides varies (the mean of the colours' standard deviations)."""
        hidden_NC = self.image(key)[self.hole(key)]
        return float(hidden_NC.std(axis=0).mean()) if len(hidden_NC) else 0.0

    @property
    def trained(self) -> list[Samples]:
        """The first entry of every method that was trained."""
        first: dict[str, Samples] = {}
        for samples in self.entries:
            if samples.description["trained_on"]:
                first.setdefault(samples.description["method"], samples)
        return list(first.values())

    @property
    def hole_ratio(self) -> float:
        """The mean hole's share of the picture."""
        return sum(self.entries[0].holes) / len(self.entries[0].holes)

    def under(self, card: Mapping[str, Any]) -> bool:
        """Whether a protocol's card tells of this test set."""
        told = self.entries[0].description
        return told["dataset_hash"] == card["split_hash"] and all(told[name] == card[name] for name in SAME)


def read(samples: Path, swept: Sequence[PointPictures] = ()) -> tuple[list[SampledTestSet], dict[str, str]]:
    """Every test set of which some entry has samples, and why by name of those that cannot be had.

    `samples` holds <method>/<testset>/<entry>/; `swept` are the pictures that points of sweeps kept.
    """
    finished: dict[str, list[SampleStore]] = {}
    for place in store.finished(samples):
        one = SampleStore.open(place)
        finished.setdefault(one.description["testset"], []).append(one)
    found, missing = list[SampledTestSet](), dict[str, str]()
    for name, entries in finished.items():
        try:
            found.append(_sampled(name, sorted(entries, key=_order), swept))
        except UserError as error:
            missing[name] = str(error)
    return found, missing


def alike(pictures_KHWC: Uint8) -> bool:
    """Whether several pictures are one and the same."""
    return len(pictures_KHWC) > 1 and bool((pictures_KHWC == pictures_KHWC[:1]).all())


def _sampled(name: str, entries: Sequence[SampleStore], swept: Sequence[PointPictures]) -> SampledTestSet:
    first = entries[0].description
    dataset = Dataset.open(paths.shards(first["dataset"]), first["split"])
    holes = MaskSet.open(paths.masks(first["dataset"], first["split"]), first["masks"])
    common = set.intersection(*(set(samples.keys) for samples in entries))
    keys = tuple(key for key in entries[0].keys if key in common)
    own = tuple(one for one in swept if all(one.pictures.description[field] == first[field] for field in IDENTITY))
    positions = {key: i for i, key in enumerate(dataset.keys)}
    return SampledTestSet(name, tuple(entries), keys, positions, dataset, holes, own)


def _order(samples: SampleStore) -> tuple[bool, str]:
    return not samples.description["trained_on"], samples.description["entry"]
