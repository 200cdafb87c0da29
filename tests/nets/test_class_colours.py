"""Colours of classes are pictures and can be told apart."""

from __future__ import annotations

from itertools import pairwise

import torch

from stages.images.pixels import to_uint8
from stages.nets.class_colours import colours


def palette(classes: int) -> torch.Tensor:
    """The colour of each class in grey levels, (classes, 3)."""
    return to_uint8(colours(torch.arange(classes).view(1, 1, classes)))[0, 0].int()


def test_all_254_classes_have_colours_of_their_own_and_those_of_a_street_are_plainly_apart():
    assert len(palette(254).unique(dim=0)) == 254
    apart_CC = (palette(20)[:, None] - palette(20)[None]).abs().amax(2) + 255 * torch.eye(20, dtype=torch.int32)
    assert apart_CC.min() >= 20
    neighbours = [(one - other).abs().max() for one, other in pairwise(palette(20))]
    assert min(neighbours) > 150


def test_a_class_has_one_colour_wherever_it_stands_and_whatever_the_others_are():
    labels_BHW = torch.tensor([[[3, 1], [0, 3]], [[3, 3], [7, 1]]])
    found_B3HW = colours(labels_BHW)
    assert found_B3HW.shape == (2, 3, 2, 2) and found_B3HW.abs().max() <= 1
    for label in (0, 1, 3, 7):
        colour_C = colours(torch.tensor([[[label]]]))[0, :, 0, 0]
        assert (found_B3HW.movedim(1, 3)[labels_BHW == label] == colour_C).all()
