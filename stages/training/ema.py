"""The exponential moving average of a network's weights: what is evaluated, shown and released."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn


class EMA:
    """EMA of a model's parameters: e_1 = w_1, e_t = decay e_(t-1) + (1 - decay) w_t; buffers are the model's own."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.model = model
        self.shadow = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay))

    def update(self) -> None:
        """Take in the weights after a step."""
        self.shadow.update_parameters(self.model)

    @contextmanager
    def swapped(self) -> Iterator[None]:
        """The model bears the averaged weights inside, its own again afterwards; pointers move, nothing is copied."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    def _swap(self) -> None:
        for own, mean in zip(self.model.parameters(), self.shadow.module.parameters(), strict=True):
            own.data, mean.data = mean.data, own.data

    def state_dict(self) -> dict[str, Any]:
        """torch's state protocol."""
        return self.shadow.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """torch's state protocol."""
        self.shadow.load_state_dict(state_dict)
