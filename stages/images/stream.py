"""Batches as pure functions: batch k of (seed, k), whatever the worker, the rank or the resume."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch

from stages.contract import Batch, UserError
from stages.images.dataset import Dataset
from stages.images.masks import MaskLaw
from stages.images.pixels import Bool, Uint8, to_float
from stages.images.seeds import generator

LARGEST = 2**63 - 1  # seeds are int64


@dataclass(frozen=True)
class Row:
    """One image of a batch before it is cut: where, whether flipped, its hole and its seed."""

    index: int
    seed: int
    window: tuple[slice, slice]
    step: int  # -1: flipped left-right
    hole_HW: Bool

    def cut(self, image_HW: Uint8) -> Uint8:
        """The row's window of an image or label map."""
        return image_HW[self.window][:, :: self.step]


class TrainStream:
    """Training batches: every image once an epoch in a seeded order, cropped, flipped, masked (law None: all known)."""

    def __init__(self, dataset: Dataset, law: MaskLaw | None, batch: int, seed: int) -> None:
        self.dataset, self.law, self.batch, self.seed = dataset, law, batch, seed
        self.order = lru_cache(maxsize=2)(self._order)  # a batch meets two epochs at most, or the data is tiny

    def __call__(self, k: int, rank: int = 0, world: int = 1) -> Batch:
        """Rank's contiguous slice of global batch k; the slices of all ranks, in order, are the batch of one rank."""
        if self.batch % world:
            raise UserError(f"loop.batch = {self.batch} is not a multiple of the {world} ranks; choose one that is")
        share = self.batch // world
        return _batch(self.dataset, [self._row(k, place) for place in range(rank * share, (rank + 1) * share)])

    def _order(self, epoch: int) -> np.ndarray:
        return generator(self.seed, "epoch", epoch).permutation(len(self.dataset))

    def _row(self, k: int, place: int) -> Row:
        epoch, within = divmod(k * self.batch + place, len(self.dataset))
        index = int(self.order(epoch)[within])
        rng = generator(self.seed, "batch", k, place)
        seed = int(rng.integers(LARGEST))  # first, so that it is the same under every law
        size = self.dataset.spec.size
        top, left = (int(rng.integers(side - size + 1)) for side in self.dataset.shapes[index])
        step = -1 if rng.random() < self.dataset.flip else 1
        window = (slice(top, top + size), slice(left, left + size))
        return Row(index, seed, window, step, _hole(self.law, rng, size))


def fixed(dataset: Dataset, law: MaskLaw | None, batch: int, limit: int, seed: int) -> list[Batch]:
    """The first `limit` images of a split in its order, never flipped; an image's hole and seed hang on (seed, key)."""
    whole = (slice(None), slice(None))
    rows = []
    for index, key in enumerate(dataset.keys[:limit]):
        rng = generator(seed, "fixed", key)
        image_seed = int(rng.integers(LARGEST))
        rows.append(Row(index, image_seed, whole, 1, _hole(law, rng, dataset.spec.size)))
    return [_batch(dataset, rows[start : start + batch]) for start in range(0, len(rows), batch)]


def _hole(law: MaskLaw | None, rng: np.random.Generator, size: int) -> Bool:
    return np.zeros((size, size), dtype=np.bool_) if law is None else law.draw(rng, size)


def _batch(dataset: Dataset, rows: list[Row]) -> Batch:
    """Pixels are brought to [-1, 1] a batch at a time."""
    images = [row.cut(dataset.image(row.index)) for row in rows]
    maps = [(row, dataset.labels(row.index)) for row in rows] if dataset.spec.classes else []
    labels = [row.cut(labels_HW) for row, labels_HW in maps if labels_HW is not None]
    return Batch(
        image_BCHW=to_float(np.stack(images)),
        known_B1HW=torch.from_numpy(~np.stack([row.hole_HW for row in rows]))[:, None].float(),
        keys=tuple(dataset.keys[row.index] for row in rows),
        seeds_B=torch.tensor([row.seed for row in rows], dtype=torch.int64),
        labels_BHW=torch.from_numpy(np.stack(labels)).long() if labels else None,
    )
