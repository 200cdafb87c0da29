"""Batches as pure functions: batch k of (seed, k), whatever the worker, the rank or the resume."""

from functools import lru_cache

import numpy as np
import torch

from stages.contract import Batch, UserError
from stages.images.dataset import Dataset
from stages.images.masks import MaskLaw
from stages.images.pixels import Bool, Uint8, to_float
from stages.images.seeds import generator

LARGEST = 2**63 - 1  # seeds are int64


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

    def _row(self, k: int, place: int) -> "Row":
        epoch, within = divmod(k * self.batch + place, len(self.dataset))
        index = int(self.order(epoch)[within])
        rng = generator(self.seed, "batch", k, place)
        seed = int(rng.integers(LARGEST))  # first, so that it is the same under every law
        size = self.dataset.spec.size
        top, left = (int(rng.integers(side - size + 1)) for side in self.dataset.shapes[index])
        flip = bool(rng.random() < self.dataset.flip)
        window = (slice(top, top + size), slice(left, left + size))
        return Row(self.dataset, index, seed, window, flip, _hole(self.law, rng, size))


class Row:
    """One image of a batch: cropped, flipped, with its hole and its seed."""

    def __init__(
        self, dataset: Dataset, index: int, seed: int, window: tuple[slice, slice], flip: bool, hole_HW: Bool
    ) -> None:
        step = -1 if flip else 1
        labels_HW = dataset.labels(index) if dataset.spec.classes else None
        self.index, self.seed, self.hole_HW = index, seed, hole_HW
        self.image_HWC: Uint8 = dataset.image(index)[window][:, ::step]
        self.labels_HW = None if labels_HW is None else labels_HW[window][:, ::step]


def fixed(dataset: Dataset, law: MaskLaw | None, batch: int, limit: int, seed: int) -> list[Batch]:
    """The first `limit` images of a split in its order, never flipped; an image's hole and seed hang on (seed, key)."""
    whole = (slice(None), slice(None))
    rows = []
    for index, key in enumerate(dataset.keys[:limit]):
        rng = generator(seed, "fixed", key)
        image_seed = int(rng.integers(LARGEST))
        rows.append(Row(dataset, index, image_seed, whole, False, _hole(law, rng, dataset.spec.size)))
    return [_batch(dataset, rows[start : start + batch]) for start in range(0, len(rows), batch)]


def _hole(law: MaskLaw | None, rng: np.random.Generator, size: int) -> Bool:
    return np.zeros((size, size), dtype=np.bool_) if law is None else law.draw(rng, size)


def _batch(dataset: Dataset, rows: list[Row]) -> Batch:
    """Pixels are brought to [-1, 1] a batch at a time (performance.md, 9)."""
    labels = [row.labels_HW for row in rows if row.labels_HW is not None]
    return Batch(
        image_BCHW=to_float(np.stack([row.image_HWC for row in rows])),
        known_B1HW=torch.from_numpy(~np.stack([row.hole_HW for row in rows]))[:, None].float(),
        keys=tuple(dataset.keys[row.index] for row in rows),
        seeds_B=torch.tensor([row.seed for row in rows], dtype=torch.int64),
        labels_BHW=torch.from_numpy(np.stack(labels)).long() if labels else None,
    )
