"""How the ranks of a run come to one gradient, and what of a network lies where meanwhile."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from torch import Tensor, nn
from torch.nn.utils import get_total_norm
from torch.optim import Optimizer

from stages.contract import Stateful
from stages.training.distributed import Ranks

Gradients = list[Tensor | None]


class Exchange(ABC):
    """One way to share a step among ranks; unless a way says otherwise, every rank has the whole network."""

    def __init__(self, ranks: Ranks) -> None:
        self.ranks = ranks
        self.begin(first=True, last=True)

    def prepare(self, module: nn.Module) -> None:  # noqa: B027  (most ways leave it as it is)
        """A network as it was built, before its optimiser is."""

    def attach(self, state: Mapping[str, Stateful]) -> None:  # noqa: B027
        """The part's state, once it is built. Raises UserError where this way is not for such a part."""

    @abstractmethod
    def begin(self, first: bool, last: bool) -> None:
        """The next gradients belong to a step's first, last or another micro-batch."""

    @abstractmethod
    def gradients(self, loss: Tensor, optimizer: Optimizer, parameters: Sequence[Tensor]) -> Gradients | None:
        """Of each parameter the sum over micro-batches and mean over ranks; None before the last micro-batch."""

    def norm(self, gradients: Gradients) -> Tensor:
        """That of all gradients together, ()."""
        return get_total_norm([gradient for gradient in gradients if gradient is not None])

    def stepping(self) -> AbstractContextManager[None]:
        """Inside, a part takes its step."""
        return nullcontext()

    def whole(self) -> AbstractContextManager[None]:
        """Inside, every rank has the whole network."""
        return nullcontext()

    def gathered(self, state: dict[str, Any]) -> dict[str, Any]:
        """State as it is saved, the same by any exchange; all ranks ask together."""
        return state

    def load(self, value: Stateful, state: dict[str, Any]) -> None:
        """Saved state, taken up."""
        value.load_state_dict(state)
