"""An optimiser's rate as a pure function of the steps that it has taken: how every method's parts slow down."""

from __future__ import annotations

from bisect import bisect_right
from math import cos, pi
from typing import Any

from pydantic import Field
from torch.optim import Optimizer

from stages.contract import Params

FLOOR = 0.05  # where the cosine ends, as a share of the rate


class Rate(Params):
    """How fast a part learns: a rate, risen to linearly, then kept; those below slow down."""

    lr: float = Field(gt=0)  # no default: it belongs to the part
    warmup_steps: int = Field(default=0, ge=0)

    def left(self, step: int) -> float:
        """What the rise aside is left of `lr` at an optimiser step."""
        return 1.0

    def at(self, step: int) -> float:
        """The rate of an optimiser's step."""
        return self.lr * (min(1.0, (step + 1) / (self.warmup_steps + 1)) * self.left(step))


class Cosine(Rate):
    """Along a cosine to a floor; 0 steps: constant."""

    decay_steps: int = Field(default=0, ge=0)

    def left(self, step: int) -> float:
        if not self.decay_steps:
            return 1.0
        fallen = 0.5 + 0.5 * cos(pi * min(1.0, step / self.decay_steps))
        return FLOOR + (1 - FLOOR) * fallen


class Halved(Rate):
    """Halved at milestones; none: constant."""

    halve_at: tuple[int, ...] = ()  # steps, rising

    def left(self, step: int) -> float:
        return 0.5 ** bisect_right(self.halve_at, step)


class InversePower(Rate):
    """After the rise, falling as a power of the steps (VQ-VAE-2's: the inverse square root)."""

    decay_power: float = Field(default=0.5, ge=0)  # 0: constant

    def left(self, step: int) -> float:
        return max(1.0, (step + 1) / (self.warmup_steps + 1)) ** -self.decay_power


class Schedule:
    """Counts an optimiser's steps, however many micro-batches one takes, and sets a share of the rate after each."""

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
