"""How well predicted classes cover the true ones: intersection over union.

Axes: T true and P predicted classes. Counts are added over batches; where the truth has no class is left out.
"""

from __future__ import annotations

import torch
from torch import Tensor


def confusion(true: Tensor, predicted: Tensor, classes: int) -> Tensor:
    """How often each class was taken for which, (T, P): class numbers of one shape, those predicted in [0, classes)."""
    true, predicted = true.flatten().cpu(), predicted.flatten().cpu()
    assert bool(((predicted >= 0) & (predicted < classes)).all()), "a class is predicted that there is not"
    named = (true >= 0) & (true < classes)
    pairs = true[named] * classes + predicted[named]
    return torch.bincount(pairs, minlength=classes**2).view(classes, classes)


def mean_iou(counts_TP: Tensor) -> float:
    """The mean over the classes that occur, true or predicted, in [0, 1]; 0 where none does."""
    both_C = counts_TP.diagonal()
    either_C = counts_TP.sum(0) + counts_TP.sum(1) - both_C
    occurs_C = either_C > 0
    return float((both_C[occurs_C].double() / either_C[occurs_C]).mean()) if occurs_C.any() else 0.0


def iou_of_majority(counts_TP: Tensor) -> float:
    """The same, had the most frequent class been predicted everywhere."""
    majority_TP = torch.zeros_like(counts_TP)
    true_T = counts_TP.sum(1)
    majority_TP[:, int(true_T.argmax())] = true_T
    return mean_iou(majority_TP)
