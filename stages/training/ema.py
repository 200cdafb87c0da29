"""The exponential moving average of a network's weights: what is evaluated, shown and released."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.optim.swa_utils import get_ema_multi_avg_fn


class EMA:
    """EMA of a model's parameters: e_1 = w_1, e_t = decay e_(t-1) + (1 - decay) w_t; buffers are the model's own.

    torch's AveragedModel copies the model, which a network that is shared out over ranks does not allow; the state is
    that class's.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.model, self._average = model, get_ema_multi_avg_fn(decay)
        self.means = {name: p.detach().clone() for name, p in model.named_parameters()}
        self.count = torch.tensor(0)  # of steps taken in

    @torch.no_grad()
    def update(self) -> None:
        """Take in the weights after a step."""
        means, weights = list(self.means.values()), list(self.model.parameters())
        if self.count == 0:
            for mean, weight in zip(means, weights, strict=True):
                mean.copy_(weight)
        else:
            self._average(means, weights, self.count)
        self.count += 1

    @contextmanager
    def swapped(self) -> Iterator[None]:
        """The model bears the averaged weights inside, its own again afterwards."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    @torch.no_grad()
    def _swap(self) -> None:
        for weight, mean in zip(self.model.parameters(), self.means.values(), strict=True):
            own = weight.detach().clone()
            weight.copy_(mean)
            mean.copy_(own)

    def state_dict(self) -> dict[str, Any]:
        """torch's state protocol."""
        tensors = {**self.model.state_dict(), **self.means}
        return {"n_averaged": self.count, **{f"module.{name}": tensor for name, tensor in tensors.items()}}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """torch's state protocol."""
        self.count = state_dict["n_averaged"].clone()
        for name, mean in self.means.items():
            mean.copy_(state_dict[f"module.{name}"])
