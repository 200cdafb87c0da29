"""How well predicted classes cover the true ones: intersection over union."""

from __future__ import annotations

import torch
from torch import Tensor


class Overlap:
    """Counts of true and predicted classes over many batches; where the truth has none of them is left out."""

    def __init__(self, classes: int) -> None:
        self.counts_TP = torch.zeros(classes, classes, dtype=torch.int64)

    def add(self, true: Tensor, predicted: Tensor) -> None:
        """Class numbers of the same shape; those predicted are in [0, classes)."""
        classes = len(self.counts_TP)
        true, predicted = true.flatten().cpu(), predicted.flatten().cpu()
        assert bool(((predicted >= 0) & (predicted < classes)).all()), "a class is predicted that there is not"
        named = (true >= 0) & (true < classes)
        pairs = true[named] * classes + predicted[named]
        self.counts_TP += torch.bincount(pairs, minlength=classes**2).view(classes, classes)

    def mean_iou(self) -> float:
        """The mean over the classes that occur, true or predicted, in [0, 1]; 0 where none does."""
        return _mean_iou(self.counts_TP)

    def of_majority(self) -> float:
        """The same, had the most frequent class been predicted everywhere."""
        majority_TP = torch.zeros_like(self.counts_TP)
        true_T = self.counts_TP.sum(1)
        majority_TP[:, int(true_T.argmax())] = true_T
        return _mean_iou(majority_TP)


def _mean_iou(counts_TP: Tensor) -> float:
    both_C = counts_TP.diagonal()
    either_C = counts_TP.sum(0) + counts_TP.sum(1) - both_C
    occurs_C = either_C > 0
    return float((both_C[occurs_C].double() / either_C[occurs_C]).mean()) if occurs_C.any() else 0.0
