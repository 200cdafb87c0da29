"""An optimiser's rate as a pure function of the steps that it has taken: raised linearly, then halved at milestones."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

from pydantic import Field
from torch.optim import Optimizer

from stages.contract import Params


class Rate(Params):
    """The rate, its rise and the steps at which it is halved; none of either: constant."""

    lr: float = Field(gt=0)  # no default: it belongs to the part
    warmup_steps: int = Field(default=0, ge=0)  # paper: none
    halve_at: tuple[int, ...] = ()  # steps, rising

    def at(self, step: int) -> float:
        """The rate of an optimiser's step."""
        risen = min(1.0, (step + 1) / (self.warmup_steps + 1))
        return self.lr * risen * 0.5 ** bisect_right(self.halve_at, step)


class Schedule:
    """Counts an optimiser's steps, however many micro-batches one takes, and sets its rate after each."""

    def __init__(self, optimizer: Optimizer, rate: Rate, share: float = 1.0) -> None:
        self.optimizer, self.rate, self.share, self.steps = optimizer, rate, share, 0
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
            group["lr"] = self.share * self.rate.at(self.steps)
