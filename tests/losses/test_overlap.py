"""Intersection over union is what a loop over sets of places finds."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from stages.losses.overlap import confusion, iou_of_majority, mean_iou

CLASSES = 4


def maps(seed: int, classes: int = CLASSES) -> tuple[Tensor, Tensor]:
    """True classes, some of them unknown, and predicted ones that are often right."""
    draw = torch.Generator().manual_seed(seed)
    true_BHW = torch.randint(classes, (2, 6, 6), generator=draw)
    wrong_BHW = torch.rand(2, 6, 6, generator=draw) < 0.4
    predicted_BHW = torch.where(wrong_BHW, torch.randint(classes, (2, 6, 6), generator=draw), true_BHW)
    true_BHW[0, :2], true_BHW[1, 0] = 255, -1
    return true_BHW, predicted_BHW


def by_sets(true: list[int], predicted: list[int]) -> float:
    """The mean over occurring classes of |intersection| / |union| of the places that bear them."""
    named = [place for place, label in enumerate(true) if 0 <= label < CLASSES]
    found = []
    for label in range(CLASSES):
        is_true = {place for place in named if true[place] == label}
        is_told = {place for place in named if predicted[place] == label}
        if is_true | is_told:
            found.append(len(is_true & is_told) / len(is_true | is_told))
    return sum(found) / len(found)


@pytest.mark.parametrize("classes", [2, CLASSES])  # 2: two classes of four never occur
def test_it_is_the_loop_over_sets_whatever_the_batches(classes):
    counts_TP, true, predicted = torch.zeros(CLASSES, CLASSES, dtype=torch.int64), [], []
    for seed in range(3):
        true_BHW, predicted_BHW = maps(seed, classes)
        counts_TP += confusion(true_BHW, predicted_BHW, CLASSES)
        true += true_BHW.flatten().tolist()
        predicted += predicted_BHW.flatten().tolist()
    assert mean_iou(counts_TP) == pytest.approx(by_sets(true, predicted))
    named = [label for label in true if 0 <= label < CLASSES]
    majority = max(set(named), key=named.count)
    assert iou_of_majority(counts_TP) == pytest.approx(by_sets(true, [majority] * len(true)))


def test_a_perfect_prediction_is_1_and_one_that_is_never_right_0():
    true_BHW = torch.randint(CLASSES, (1, 8, 8), generator=torch.Generator().manual_seed(0))
    for shift, expected in ((0, 1.0), (1, 0.0)):
        assert mean_iou(confusion(true_BHW, (true_BHW + shift) % CLASSES, CLASSES)) == expected


def test_where_nothing_is_known_it_is_0():
    counts_TP = confusion(torch.full((1, 4, 4), 255), torch.zeros(1, 4, 4, dtype=torch.int64), CLASSES)
    assert mean_iou(counts_TP) == iou_of_majority(counts_TP) == 0.0
