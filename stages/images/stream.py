"""Batches as pure functions: batch k of (seed, k), whatever the worker, the rank or the resume."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray

from stages.contract import Batch, UserError
from stages.images.dataset import Dataset
from stages.images.masks import MaskGenerator
from stages.images.order import Epoch
from stages.images.pixels import Bool, Uint8, to_float
from stages.images.tars.streamed import Streamed
from stages.project import seeds

LARGEST = 2**63 - 1  # seeds are int64


@dataclass(frozen=True)
class Example:
    """One image of a batch before it is cut: where, whether flipped, its hole and its seed."""

    index: int
    seed: int
    window: tuple[slice, slice]
    step: int  # -1: flipped left-right
    hole_HW: Bool

    def cut(self, image_HW: Uint8) -> Uint8:
        """The example's window of an image or label map."""
        return image_HW[self.window][:, :: self.step]


class TrainStream:
    """Training batches: every image once an epoch in a seeded order, cropped, flipped, masked.

    A streamed split's order goes by groups of tars, so that a batch is read out of few.
    Without a mask generator all is known.
    """

    def __init__(self, dataset: Dataset, generator: MaskGenerator | None, batch: int, seed: int) -> None:
        self.dataset, self.generator, self.batch, self.seed = dataset, generator, batch, seed
        self.tars, self.tar_N = _tars(dataset)
        self.order = lru_cache(maxsize=2)(self._order)  # a batch meets two epochs at most, or the data is tiny

    def __call__(self, k: int, rank: int = 0, world: int = 1) -> Batch:
        """Rank's contiguous slice of global batch k; the slices of all ranks, in order, are the batch of one rank."""
        if self.batch % world:
            raise UserError(f"loop.batch = {self.batch} is not a multiple of the {world} ranks; choose one that is")
        if self.dataset.streamed:
            self._fetch_ahead(self.dataset.streamed, k)
        share = self.batch // world
        return _batch(self.dataset, [self._example(k, place) for place in range(rank * share, (rank + 1) * share)])

    def _order(self, epoch: int) -> Epoch:
        group = self.dataset.streamed.group if self.dataset.streamed else 1
        return Epoch.drawn(seeds.generator(self.seed, "epoch", epoch), self.tar_N, group)

    def _fetch_ahead(self, streamed: Streamed, k: int) -> None:
        """The group of tars that comes behind the one that batch k is read from."""
        epoch, within = divmod(k * self.batch, len(self.dataset))
        order = self.order(epoch)
        coming_T = order.after(int(self.tar_N[order.images_N[within]]))
        coming_T = coming_T if len(coming_T) else self.order(epoch + 1).tars_T[: streamed.group]
        streamed.fetch_ahead([self.tars[tar] for tar in coming_T])

    def _example(self, k: int, place: int) -> Example:
        epoch, within = divmod(k * self.batch + place, len(self.dataset))
        index = int(self.order(epoch).images_N[within])
        rng = seeds.generator(self.seed, "batch", k, place)
        seed = int(rng.integers(LARGEST))  # first, so that it is the same under every generator
        size = self.dataset.spec.size
        top, left = (int(rng.integers(side - size + 1)) for side in self.dataset.shape_N2[index].tolist())
        step = -1 if rng.random() < self.dataset.flip else 1
        window = (slice(top, top + size), slice(left, left + size))
        return Example(index, seed, window, step, _hole(self.generator, rng, size))


@dataclass(frozen=True)
class FixedBatches:
    """The first `limit` images of a split in its order, never flipped; an image's hole and seed hang on (seed, key).

    A batch is made when its turn comes, each time anew: no image stays in memory.
    """

    dataset: Dataset
    generator: MaskGenerator | None
    batch: int
    limit: int
    seed: int

    @property
    def images(self) -> int:
        """How many."""
        return min(self.limit, len(self.dataset))

    def __len__(self) -> int:
        """How many batches; the last may be smaller."""
        return -(-self.images // self.batch)

    def __getitem__(self, k: int) -> Batch:
        """Batch k, whichever were asked for before."""
        if not 0 <= k < len(self):
            raise IndexError(k)
        some = range(k * self.batch, min((k + 1) * self.batch, self.images))
        return _batch(self.dataset, [self._example(index) for index in some])

    def __iter__(self) -> Iterator[Batch]:
        return (self[k] for k in range(len(self)))

    def _example(self, index: int) -> Example:
        rng = seeds.generator(self.seed, "fixed", self.dataset.keys[index])
        image_seed = int(rng.integers(LARGEST))
        whole = (slice(None), slice(None))
        return Example(index, image_seed, whole, 1, _hole(self.generator, rng, self.dataset.spec.size))


def _tars(dataset: Dataset) -> tuple[list[str], NDArray[np.int64]]:
    """The tars that a streamed split is read from, and each image's; any other split counts as one."""
    if not dataset.streamed:
        return [], np.zeros(len(dataset), dtype=np.int64)
    return dataset.images.tars, dataset.images.tar_N


def _hole(generator: MaskGenerator | None, rng: np.random.Generator, size: int) -> Bool:
    return np.zeros((size, size), dtype=np.bool_) if generator is None else generator.draw(rng, size)


def _batch(dataset: Dataset, examples: list[Example]) -> Batch:
    """Pixels are brought to [-1, 1] a batch at a time."""
    images = [example.cut(dataset.image(example.index)) for example in examples]
    maps = [(example, dataset.labels(example.index)) for example in examples] if dataset.spec.classes else []
    labels = [example.cut(labels_HW) for example, labels_HW in maps if labels_HW is not None]
    return Batch(
        image_BCHW=to_float(np.stack(images)),
        known_B1HW=torch.from_numpy(~np.stack([example.hole_HW for example in examples]))[:, None].float(),
        keys=tuple(dataset.keys[example.index] for example in examples),
        seeds_B=torch.tensor([example.seed for example in examples], dtype=torch.int64),
        labels_BHW=torch.from_numpy(np.stack(labels)).long() if labels else None,
    )
