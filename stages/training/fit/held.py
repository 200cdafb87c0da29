"""What a part's training holds whatever its batch, counted on the meta device: without memory, data or weights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from stages.contract import Part, Spec
from stages.training import dry_run
from stages.training.parts import Plan


@dataclass(frozen=True)
class Held:
    """Bytes. Frozen networks that a part reads beside its own (its parents, LPIPS) are not among them."""

    weights: int  # with buffers
    gradients: int  # of all optimisers at once, as when micro-batches are summed
    optimiser: int
    average: int  # EMA's

    @property
    def total(self) -> int:
        """All of it."""
        return self.weights + self.gradients + self.optimiser + self.average


def held(plan: Plan, plans: Mapping[str, Plan], spec: Spec) -> Held:
    """By the part as it would be built; `plans` holds its parents' too. Optimisers take a step, of no numbers."""
    with torch.device("meta"):
        part = dry_run.draft(plan, plans, spec)
    networks = [one for one in part.state().values() if isinstance(one, nn.Module)]
    weights = _bytes(tensor for one in networks for tensor in (*one.parameters(), *one.buffers()))
    average = _bytes(part.model.parameters()) if plan.loop.ema else 0
    gradients, states = zip((0, 0), *(_stepped(one) for one in optimisers(part)), strict=True)
    return Held(weights, sum(gradients), sum(states), average)


def optimisers(part: Part) -> list[Optimizer]:
    """The part's."""
    return [one for one in part.state().values() if isinstance(one, Optimizer)]


def states(optimizer: Optimizer) -> int:
    """Bytes of what the optimiser keeps."""
    return _bytes(one for state in optimizer.state.values() for one in state.values() if isinstance(one, Tensor))


def _stepped(optimizer: Optimizer) -> tuple[int, int]:
    """Bytes of its gradients, and of what it keeps once it has stepped."""
    parameters = [p for group in optimizer.param_groups for p in group["params"] if p.requires_grad]
    for parameter in parameters:
        parameter.grad = torch.empty_like(parameter)
    optimizer.step()
    return _bytes(parameters), states(optimizer)


def _bytes(tensors: Iterable[Tensor]) -> int:
    return sum(one.nbytes for one in {id(tensor): tensor for tensor in tensors}.values())
