"""When a penalty has its turn, and what the optimiser is told of it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from stages.methods.mm_invertfill.blocks.turns import BETAS, Turns
from stages.training.schedules import Rate


def taken(turns: Turns, weight: Tensor, steps: int) -> list[bool]:
    """Whether the penalty was due, step by step; each takes its descents."""
    due = []
    for _ in range(steps):
        due.append(turns.due)
        for _ in range(1 + due[-1]):
            weight.grad = torch.ones_like(weight)
            turns.optimizer.step()
    return due


@pytest.mark.parametrize("every", [1, 2, 5])
@pytest.mark.parametrize("stop", [1, 2, 5, 6])
def test_a_penalty_is_due_every_so_many_steps_after_a_restart_too(every: int, stop: int):
    layer = torch.nn.Linear(1, 1)
    first, second = (Turns(layer, Rate(lr=1e-3), every) for _ in range(2))
    due = taken(first, layer.weight, stop)
    second.optimizer.load_state_dict(first.optimizer.state_dict())
    second.schedule.load_state_dict(first.schedule.state_dict())
    assert due + taken(second, layer.weight, 12 - stop) == [step % every == 0 for step in range(12)]


@pytest.mark.parametrize("every", [0, 1, 16])
def test_adams_rate_and_memory_make_up_for_the_further_step(every: int):
    """c = k / (k + 1): the rate times c, the betas to the power of c (StyleGAN2, appendix B); 1 without a penalty."""
    turns = Turns(torch.nn.Linear(1, 1), Rate(lr=2e-3), every)
    c = every / (every + 1) if every else 1.0
    (group,) = turns.optimizer.param_groups
    assert group["lr"] == pytest.approx(2e-3 * c)
    assert group["betas"] == pytest.approx((BETAS[0], BETAS[1] ** c))
    assert turns.due is (every > 0)
