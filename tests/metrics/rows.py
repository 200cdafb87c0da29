"""What a metric of the whole set is told of all images, as a pass over them in several batches gathers it."""

from collections.abc import Iterable

import torch
from torch import Tensor

from stages.metrics.core.batch import EvalBatch
from stages.metrics.core.contract import SetMetric


def rows(metric: SetMetric, batches: Iterable[EvalBatch]) -> dict[str, Tensor]:
    """The rows of all batches' images by name: those that the metric says it gives, and no others."""
    told = [metric(batch) for batch in batches]
    assert all(set(one) == set(metric.rows) for one in told if one)
    return {name: torch.cat([one[name] for one in told if one]) for name in metric.rows}
