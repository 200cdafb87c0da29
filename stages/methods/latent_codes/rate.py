"""An optimiser's rate as a pure function of the steps that it has taken."""

from __future__ import annotations

from math import cos, pi
from typing import Any

from pydantic import Field
from torch.optim import Optimizer

from stages.contract import Params

FLOOR = 0.05  # where the cosine ends, as a share of the rate


class Rate(Params):
    """How fast a part learns: a rate, risen to linearly, left along a cosine. 0 steps of either: constant."""

    lr: float = Field(default=1.08e-4, gt=0)  # paper: 3 GPUs x batch 8, at 4.5e-6 an image
    warmup_steps: int = Field(default=0, ge=0)
    decay_steps: int = Field(default=0, ge=0)

    def share(self, step: int) -> float:
        """The share of `lr` at an optimiser step."""
        risen = min(1.0, (step + 1) / (self.warmup_steps + 1))
        if not self.decay_steps:
            return risen
        fallen = 0.5 + 0.5 * cos(pi * min(1.0, step / self.decay_steps))
        return risen * (FLOOR + (1 - FLOOR) * fallen)


class Schedule:
    """Counts an optimiser's steps, however many micro-batches one takes, and sets its rate after each."""

    def __init__(self, optimizer: Optimizer, rate: Rate) -> None:
        self.optimizer, self.rate, self.steps = optimizer, rate, 0
        optimizer.register_step_post_hook(self._advance)
        self._set()

    def state_dict(self) -> dict[str, Any]:
        return {"steps": self.steps}

    def load_state_dict(self, state: dict[str, Any], /) -> None:
        self.steps = state["steps"]
        self._set()

    def _advance(self, *_: object) -> None:
        self.steps += 1
        self._set()

    def _set(self) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate.lr * self.rate.share(self.steps)
