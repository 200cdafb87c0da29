"""Statistics of a batch that is spread over several processes."""

from __future__ import annotations

import torch.distributed as dist
from torch import Tensor


def mean_over_ranks(statistic: Tensor) -> Tensor:
    """The mean of every process's value; its own where there is one process alone."""
    if not dist.is_available() or not dist.is_initialized():
        return statistic
    statistic = statistic.clone()
    dist.all_reduce(statistic)
    return statistic / dist.get_world_size()
