"""The exchange that `loop.parallel` names."""

from __future__ import annotations

from stages.contract import UserError
from stages.training.distributed import Ranks
from stages.training.exchange.averaged import Averaged
from stages.training.exchange.exchange import Exchange
from stages.training.exchange.replicated import Replicated
from stages.training.loop_params import LoopParams


def exchange(name: str, loop: LoopParams, ranks: Ranks) -> Exchange:
    """That of part `name`. Raises UserError where the loop asks for what does not go together."""
    if loop.parallel == "averaged":
        return Averaged(ranks)
    key = f"{name}: loop.parallel: {loop.parallel}"
    if loop.compile:
        raise UserError(f"{key} does not go together with loop.compile: leave one of them out")
    if loop.parallel == "ddp":
        return Replicated(key, ranks)
    from stages.training.exchange.sharded import Sharded  # torch takes a third longer to import with what it needs

    return Sharded(key, ranks)
