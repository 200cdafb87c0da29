"""What a part measures of val: ranks share the batches out, and come to one process's sums, bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from stages.contract import Batch, Part
from stages.losses.tally import Tally
from stages.project.seeds import seed_all
from stages.training.distributed import Ranks


class Val(Protocol):
    """Batches that are the same at every look; batch k alone costs no other."""

    def __len__(self) -> int: ...

    def __getitem__(self, k: int, /) -> Batch: ...


def measured(part: Part, val: Val, moved: Callable[[Batch], Batch], seed: int, ranks: Ranks) -> Tally:
    """What all batches gave, added in their order, on rank 0; all ranks ask together, and the others have nothing.

    `moved` brings a batch to the device. What a part draws hangs on (seed, k).
    """
    tally = Tally()
    for first in range(0, len(val), ranks.world):  # a rank is never further ahead: what is measured is never kept
        k = first + ranks.rank
        seed_all(seed, "evaluate", k)
        own = part.measure(moved(val[k])) if k < len(val) else Tally()
        for one in ranks.collect(own):
            tally.add(one)
    return tally
