"""What torch's own exchanges have in common: one network, one optimiser, one call and one backward pass a micro-batch.

What a part does is seen as it learns: who does otherwise is refused, and not averaged wrongly.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import NoReturn

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from stages.contract import Stateful, UserError
from stages.training.distributed import Ranks
from stages.training.exchange.exchange import Exchange, Gradients


class OneNetwork(Exchange):
    """Gradients travel while the backward pass still runs."""

    def __init__(self, key: str, ranks: Ranks) -> None:
        super().__init__(ranks)
        self.key = key  # the part, and the params key with its value: for messages

    def attach(self, state: Mapping[str, Stateful]) -> None:
        """Take over the part's network. UserError unless it has one that learns, by one optimiser, whole."""
        networks = {name: one for name, one in state.items() if isinstance(one, nn.Module) and learning(one)}
        optimizers = {name: one for name, one in state.items() if isinstance(one, Optimizer)}
        if len(networks) != 1 or len(optimizers) != 1:
            self.refuse(f"it learns {', '.join([*networks, *optimizers])}, and not one network by one optimiser")
        (network,), (optimizer,) = networks.values(), optimizers.values()
        stepped = {id(p) for group in optimizer.param_groups for p in group["params"] if p.requires_grad}
        if stepped != {id(p) for p in learning(network)}:
            self.refuse("its optimiser has other parameters than its network")
        network.register_forward_pre_hook(self._count)
        if self.ranks.world > 1:
            self.spread(network)

    @abstractmethod
    def spread(self, network: nn.Module) -> None:
        """Let several ranks share the network's steps."""

    def begin(self, first: bool, last: bool) -> None:
        """Calls and backward passes are counted anew."""
        self._last, self._called, self._passes = last, 0, 0

    def gradients(self, loss: Tensor, optimizer: Optimizer, parameters: Sequence[Tensor]) -> Gradients | None:
        """Those of the network; UserError where it was not called once, or a parameter has none."""
        self._passes += 1
        if (self._called, self._passes) != (1, 1):
            self.refuse(f"in a micro-batch its network is called {self._called} times, its loss given {self._passes}")
        loss.backward()
        if not self._last:
            return None
        if any(p.grad is None for p in parameters):
            self.refuse("its loss does not reach all of its network's parameters")
        return [p.grad for p in parameters]

    def refuse(self, why: str) -> NoReturn:
        """UserError: the part is none for this value of the key."""
        raise UserError(f"{self.key} is not for this part: {why}; write averaged")

    def _count(self, *_: object) -> None:
        self._called += torch.is_grad_enabled()


def learning(module: nn.Module) -> list[nn.Parameter]:
    """The parameters that learn."""
    return [p for p in module.parameters() if p.requires_grad]
