"""Ranks of one training run under torchrun: gloo on CPUs, NCCL on GPUs; rank 0 writes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

PATIENCE = timedelta(hours=2)  # the others wait while rank 0 saves and publishes


@dataclass(frozen=True)
class Ranks:
    """This process's place among the processes of a run; alone it is rank 0 of 1 and nothing is sent."""

    rank: int = 0
    world: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process writes files and tells."""
        return self.rank == 0

    def average(self, gradients: Sequence[Tensor | None], like: Sequence[Tensor]) -> list[Tensor | None]:
        """Each gradient's mean over ranks, shaped `like` its parameter; None where no rank has one.

        A NaN on one rank reaches all, so all ranks decide alike about a step.
        """
        if self.world == 1:
            return list(gradients)
        has = torch.tensor([float(gradient is not None) for gradient in gradients], device=like[0].device)
        pieces = [torch.zeros_like(p) if g is None else g for g, p in zip(gradients, like, strict=True)]
        flat = torch.cat([*(piece.reshape(-1) for piece in pieces), has])
        dist.all_reduce(flat)
        *means, counts = flat.split([*(p.numel() for p in like), len(has)])
        return [
            mean.view(p.shape) / self.world if count else None
            for mean, p, count in zip(means, like, counts.tolist(), strict=True)
        ]

    def mean(self, values: Tensor) -> Tensor:
        """A small tensor's mean over ranks."""
        if self.world > 1:
            dist.all_reduce(values)
        return values / self.world

    def gather(self, value: Tensor) -> Tensor:
        """A small tensor of every rank, one after the other: (world, ...)."""
        if self.world == 1:
            return value[None]
        values = [torch.empty_like(value) for _ in range(self.world)]
        dist.all_gather(values, value)
        return torch.stack(values)

    def collect(self, value: Any) -> list[Any]:
        """Any small value of every rank, in their order, on rank 0; nothing on the others."""
        if self.world == 1:
            return [value]
        values = [None] * self.world if self.leads else None
        dist.gather_object(value, values)
        return values or []

    def any(self, flag: bool) -> bool:
        """Whether any rank says so; all ranks get the same answer."""
        if self.world == 1:
            return flag
        answer = torch.tensor([float(flag)])
        dist.all_reduce(answer, dist.ReduceOp.MAX)
        return bool(answer.item())

    def wait(self) -> None:
        """Until all ranks are here."""
        self.any(False)

    def copy_first(self, tensors: Iterable[Tensor]) -> None:
        """Rank 0's values for everyone, in place."""
        if self.world > 1:
            for tensor in tensors:
                dist.broadcast(tensor.detach(), src=0)

    def align(self, modules: Iterable[nn.Module]) -> None:
        """Rank 0's buffers (running statistics, usage counts) for everyone, as DDP does."""
        self.copy_first(buffer for module in modules for buffer in module.buffers())


@contextmanager
def joined(device: torch.device) -> Iterator[Ranks]:
    """This process's ranks as torchrun's environment tells them; joined on entry, left on exit."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        yield Ranks()
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    # gloo carries the small decisions on the CPU, whatever carries the gradients
    dist.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo", timeout=PATIENCE)
    try:
        yield Ranks(dist.get_rank(), world)
    finally:
        dist.destroy_process_group()
