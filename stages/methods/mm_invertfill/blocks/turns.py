"""Penalties that have a turn of their own every so many steps (StyleGAN2's lazy regularisation, Sec. 3.1)."""

from __future__ import annotations

from torch import nn
from torch.optim import Adam

from stages.training.schedules import Rate, Schedule

BETAS = (0.0, 0.99)  # Adam's; StyleGAN2, appendix B


class Turns:
    """An optimiser with `every` steps and then one of a penalty's, in turn, its memory stretched for the further one.

    `every` = 0: no penalty.
    """

    def __init__(self, model: nn.Module, rate: Rate, every: int) -> None:
        share = every / (every + 1) if every else 1.0
        first, second = (beta**share for beta in BETAS)
        self.optimizer = Adam(model.parameters(), betas=(first, second), eps=1e-8)
        self.schedule, self.every = Schedule(self.optimizer, rate, share), every

    @property
    def due(self) -> bool:
        """Whether the penalty has its turn in the step that begins: ask before the optimiser's own step."""
        return bool(self.every) and self.schedule.steps % (self.every + 1) == 0
