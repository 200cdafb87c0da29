"""torch's DistributedDataParallel: every rank has the whole network, and gradients are averaged bucket by bucket."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from stages.training.exchange.one_network import OneNetwork


class Replicated(OneNetwork):
    """`loop.parallel: ddp`. The network keeps its class and its names; its `forward` goes through DDP's."""

    ddp: DistributedDataParallel | None = None
    quiet: ExitStack | None = None  # while it is open, gradients stay on their rank

    def spread(self, network: nn.Module) -> None:
        """Calls that gradients are asked of go through DDP; rank 0 evaluates without it."""
        alone: Callable[..., Any] = network.forward
        ddp = self.ddp = DistributedDataParallel(_Calling(network, alone))

        def forward(*given: Any, **named: Any) -> Any:
            return (ddp if torch.is_grad_enabled() else alone)(*given, **named)

        setattr(network, "forward", forward)  # noqa: B010  (to mypy a method is constant)

    def begin(self, first: bool, last: bool) -> None:
        """Before the last micro-batch nothing is sent: DDP asks for that to be known at the forward pass."""
        super().begin(first, last)
        if self.quiet:
            self.quiet.close()
        if self.ddp and not last:
            self.quiet = ExitStack()
            self.quiet.enter_context(self.ddp.no_sync())


class _Calling(nn.Module):
    """The network as DDP holds it: called by what its `forward` was before DDP took the place."""

    def __init__(self, network: nn.Module, alone: Callable[..., Any]) -> None:
        super().__init__()
        self.network, self._alone = network, alone

    def forward(self, *given: Any, **named: Any) -> Any:
        return self._alone(*given, **named)
