"""Gradients averaged by hand, after the backward pass: for any number of networks, optimisers and losses.

One all_reduce of all of an optimiser's gradients computes what DistributedDataParallel does, whose hooks expect one
backward pass a step over one network: a GAN with two optimisers, an adaptive weight or R1's double backward gives none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.optim import Optimizer

from stages.training.exchange.exchange import Exchange, Gradients


class Averaged(Exchange):
    """`loop.parallel: averaged`. No `.grad` is touched, so a generator's loss leaves nothing in its discriminator."""

    def begin(self, first: bool, last: bool) -> None:
        """A step's sums begin with its first micro-batch."""
        self._last, self._calls = last, Counter[int]()
        if first:
            self._sums: dict[tuple[int, int], Gradients] = {}

    def gradients(self, loss: Tensor, optimizer: Optimizer, parameters: Sequence[Tensor]) -> Gradients | None:
        """Those of that optimiser's parameters alone.

        A second call for the same optimiser in a step (lazy R1) is a step of its own, accumulated apart from the first.
        """
        gradients: Gradients = list(torch.autograd.grad(loss, parameters, allow_unused=True))
        turn = (id(optimizer), self._calls[id(optimizer)])
        self._calls[id(optimizer)] += 1
        self._sums[turn] = _added(self._sums.get(turn), gradients)
        return self.ranks.average(self._sums.pop(turn), parameters) if self._last else None


def _added(total: Gradients | None, gradients: Gradients) -> Gradients:
    if total is None:
        return gradients
    return [b if a is None else a if b is None else a + b for a, b in zip(total, gradients, strict=True)]
