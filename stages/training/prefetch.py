"""Batches for the loop: drawn ahead by threads where asked for, cut into micro-batches, moved to the device."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from types import TracebackType

import torch
from torch import Tensor

from stages.contract import Batch
from stages.training.distributed import Ranks

Batches = Callable[[int, int, int], Batch]  # (k, rank, world) -> that rank's slice of batch k, a pure function


class Prefetcher:
    """Batch k for this rank, k = start, start + 1, ... Which thread drew it cannot matter."""

    def __init__(self, batches: Batches, ranks: Ranks, start: int, steps: int, workers: int) -> None:
        self.batches, self.ranks, self.workers = batches, ranks, workers
        self._ahead = iter(range(start, steps))
        self._waiting: deque[Future[Batch]] = deque()
        self._pool = ThreadPoolExecutor(workers) if workers else None

    def __enter__(self) -> Prefetcher:
        for _ in range(self.workers):
            self._order()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def next(self) -> Batch:
        """The next batch, in order."""
        if not self._pool:
            return self._draw(next(self._ahead))
        self._order()
        return self._waiting.popleft().result()

    def _order(self) -> None:
        k = next(self._ahead, None)
        if self._pool and k is not None:
            self._waiting.append(self._pool.submit(self._draw, k))

    def _draw(self, k: int) -> Batch:
        return self.batches(k, self.ranks.rank, self.ranks.world)


def micro_batches(batch: Batch, parts: int) -> Iterator[Batch]:
    """The batch in `parts` equal pieces, in order."""
    size = len(batch.keys) // parts
    for start in range(0, size * parts, size):
        piece = slice(start, start + size)
        yield Batch(
            batch.image_BCHW[piece],
            batch.known_B1HW[piece],
            batch.keys[piece],
            batch.seeds_B[piece],
            None if batch.labels_BHW is None else batch.labels_BHW[piece],
        )


def to_device(batch: Batch, device: torch.device, channels_last: bool) -> Batch:
    """Images, masks and labels on the device; seeds stay on the CPU, where generators are seeded without waiting."""
    layout = torch.channels_last if channels_last else torch.contiguous_format

    def move(tensor: Tensor, memory_format: torch.memory_format) -> Tensor:
        pinned = tensor.pin_memory() if device.type == "cuda" and tensor.device.type == "cpu" else tensor
        return pinned.to(device, non_blocking=True, memory_format=memory_format)

    labels = None if batch.labels_BHW is None else move(batch.labels_BHW, torch.contiguous_format)
    image, known = move(batch.image_BCHW, layout), move(batch.known_B1HW, torch.contiguous_format)
    return replace(batch, image_BCHW=image, known_B1HW=known, labels_BHW=labels)
