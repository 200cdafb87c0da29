"""A test set: which images of which dataset are completed under which frozen masks, how often, and with which seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from pydantic import PositiveInt

from stages.contract import Params, Spec, UserError
from stages.images.dataset import Dataset
from stages.images.masks import MaskSet
from stages.images.pixels import Bool, Uint8
from stages.project import paths
from stages.project.params import dig, nearest, validate
from stages.project.seeds import derive


class TestSetParams(Params):
    """A block of `testsets` in params.yaml."""

    __test__ = False  # no test of pytest's

    dataset: str | None = None  # null: the global one, data.dataset
    split: Literal["train", "val", "test"] = "test"  # some papers test on what others call val
    masks: str
    images: PositiveInt | None = None  # null: all of the split; else so many, evenly spaced over it
    samples: PositiveInt
    seed: int = 0


class Images(Protocol):
    """Images by position, as a dataset has them."""

    @property
    def name(self) -> str: ...

    @property
    def hash(self) -> str: ...

    @property
    def spec(self) -> Spec: ...

    @property
    def keys(self) -> Sequence[str]: ...

    @property
    def sources(self) -> Sequence[str]: ...

    def image(self, index: int) -> Uint8: ...

    def labels(self, index: int) -> Uint8 | None: ...


class Holes(Protocol):
    """Holes by key, as a frozen mask set has them."""

    @property
    def hash(self) -> str: ...

    def hole(self, key: str) -> Bool: ...


@dataclass(frozen=True)
class TestSet:
    """A test set with its data: `chosen` indexes the dataset."""

    __test__ = False

    name: str
    params: TestSetParams
    dataset: Images
    masks: Holes
    chosen: tuple[int, ...]

    @property
    def keys(self) -> list[str]:
        """The chosen images' keys, in order."""
        return [self.dataset.keys[i] for i in self.chosen]

    def seeds(self, key: str) -> list[int]:
        """The seeds of an image's completions: completion k's is a function of (seed, key, k) alone."""
        return [derive(self.params.seed, key, k) for k in range(self.params.samples)]

    def labels(self, images: Sequence[int], classes: int) -> Uint8 | None:
        """The label maps (B, H, W) at these positions, of so many classes; None where that is 0, or there are none.

        UserError where the dataset has another number of classes: its maps would be read as what they are not.
        """
        there = self.dataset.spec.classes
        if not there or not classes:
            return None
        if there != classes:
            told = f"{self.dataset.name} has label maps of {there} classes, the method knows {classes}"
            raise UserError(f"testsets.{self.name}: {told}; name a dataset with the classes that it was trained on")
        maps = [labels_HW for labels_HW in map(self.dataset.labels, images) if labels_HW is not None]
        return np.stack(maps) if maps else None

    def identity(self) -> dict[str, Any]:
        """Everything about the data that a sample or a score depends on."""
        return {
            "testset": self.name,
            "dataset": self.dataset.name,
            "split": self.params.split,
            "dataset_hash": self.dataset.hash,
            "masks": self.params.masks,
            "mask_hash": self.masks.hash,
            "size": self.dataset.spec.size,
            "images": len(self.chosen),
            "samples": self.params.samples,
            "seed": self.params.seed,
        }


def read(values: Mapping[str, Any], name: str) -> TestSetParams:
    """The test set of that name, validated, its dataset filled in."""
    blocks = dig(values, "testsets")
    if name not in blocks:
        raise UserError(f"params: testsets has no {name}{nearest(name, list(blocks))}")
    params = validate(TestSetParams, blocks[name], f"testsets.{name}")
    return params if params.dataset else params.model_copy(update={"dataset": dig(values, "data.dataset")})


def frozen(values: Mapping[str, Any], dataset: str) -> dict[str, list[str]]:
    """The mask sets that test sets of the dataset need, by split; one that names no dataset may be of any."""
    blocks = values.get("testsets") or {}
    read_in = [validate(TestSetParams, block, f"testsets.{name}") for name, block in blocks.items()]
    found: dict[str, list[str]] = {}
    for params in read_in:
        if params.dataset in {None, dataset}:
            found.setdefault(params.split, []).append(params.masks)
    return {split: sorted(set(masks)) for split, masks in found.items()}


def open_testset(name: str, params: TestSetParams, limit: int | None = None) -> TestSet:
    """The test set's dataset and masks; at most `limit` of its images."""
    dataset = Dataset.open(paths.shards(str(params.dataset)), params.split)
    masks = MaskSet.open(paths.masks(str(params.dataset), params.split), params.masks)
    if params.images and params.images > len(dataset):
        raise UserError(
            f"params: testsets.{name}.images = {params.images}, but {dataset.name} {params.split} has {len(dataset)}"
        )
    return TestSet(name, params, dataset, masks, spaced(len(dataset), params.images)[:limit])


def spaced(total: int, count: int | None) -> tuple[int, ...]:
    """`count` of `range(total)`, evenly spaced: neighbours often come from one source."""
    return tuple(i * total // count for i in range(count)) if count else tuple(range(total))


def by_turns(keys: Sequence[str], sources: Sequence[str]) -> list[str]:
    """The keys, each photograph's first image before any photograph's second."""
    turn: dict[str, int] = {}
    ranked = list[tuple[int, int, str]]()
    for key, source in zip(keys, sources, strict=True):
        turn[source] = turn.get(source, -1) + 1
        ranked.append((turn[source], len(ranked), key))
    return [key for *_, key in sorted(ranked)]
