"""The multi-scale reconstruction loss as it is written, and what it leaves out (paper 002, eq. 8)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from stages.contract import NO_CLASS
from stages.methods.mm_invertfill.blocks.decoder import Restoration
from stages.methods.mm_invertfill.blocks.scale_losses import (
    enlarged,
    label_loss,
    scale_losses,
    shrunk_edges,
    shrunk_labels,
)
from tests.methods.mm_invertfill.encoders import random
from tests.methods.mm_invertfill.whole import CLASSES, SIZE, blocks

SIDES = (4, 8, 16)
IMAGE, LABELS = blocks(0).image_BCHW, blocks(0).labels_BHW
EDGES = (random(2, 1, SIZE, SIZE, seed=3) > 1.5).float()


def restored(classes: int = CLASSES, edges: bool = True) -> list[Restoration]:
    """Random maps at three scales."""
    return [
        Restoration(
            torch.tanh(random(2, 3, side, side, seed=side)),
            random(2, 1, side, side, seed=side + 1) if edges else None,
            random(2, classes, side, side, seed=side + 2) if classes else None,
        )
        for side in SIDES
    ]


def distance(made_BCHW: Tensor, real_BCHW: Tensor) -> Tensor:
    """One that tells made from real."""
    return (made_BCHW - 2 * real_BCHW).square().mean()


def cells(map_BHW: Tensor, side: int) -> Iterator[tuple[tuple[int, int, int], Tensor]]:
    """Image, row and column of each cell, and its pixels."""
    step = map_BHW.shape[-1] // side
    for b in range(len(map_BHW)):
        for i in range(side):
            for j in range(side):
                yield (b, i, j), map_BHW[b, i * step : (i + 1) * step, j * step : (j + 1) * step]


def test_an_edge_cell_is_one_with_an_edge_pixel():
    for side in SIDES:
        found_B1hw = shrunk_edges(EDGES, side)
        for (b, i, j), pixels in cells(EDGES[:, 0], side):
            assert found_B1hw[b, 0, i, j] == float(pixels.any())


def test_a_cells_class_is_that_of_its_middle():
    for side in SIDES:
        middle, number_BHW = SIZE // side // 2, torch.arange(2 * SIZE**2).view(2, SIZE, SIZE)
        found_Bhw = shrunk_labels(number_BHW, side)
        assert all(found_Bhw[place] == pixels[middle, middle] for place, pixels in cells(number_BHW, side))


def label_terms(logits_BChw: Tensor) -> list[Tensor]:
    """-log p of the true class, of each cell that has one."""
    classes_Bhw, log_p = shrunk_labels(LABELS, logits_BChw.shape[-1]), logits_BChw.log_softmax(1)
    return [
        -log_p[b, int(pixels), i, j]
        for (b, i, j), pixels in cells(classes_Bhw, logits_BChw.shape[-1])
        if pixels != NO_CLASS
    ]


def test_terms_are_sums_over_the_scales_of_what_equation_8_names():
    found, expected = scale_losses(restored(), IMAGE, EDGES, LABELS, enlarged(distance)), dict.fromkeys("iped", 0.0)
    for level, side in zip(restored(), SIDES, strict=True):
        small_B3hw = IMAGE.unflatten(2, (side, -1)).unflatten(4, (side, -1)).mean((3, 5))
        expected["i"] += float((level.image_B3hw - small_B3hw).abs().mean())
        whole_B3HW = F.interpolate(level.image_B3hw, size=SIZE, mode="bilinear", align_corners=False)
        expected["p"] += float(distance(whole_B3HW, IMAGE))
        p_B1hw, edge_B1hw = level.edges_B1hw.sigmoid(), shrunk_edges(EDGES, side)
        expected["e"] -= float((edge_B1hw * p_B1hw.log() + (1 - edge_B1hw) * (1 - p_B1hw).log()).mean())
        expected["d"] += float(torch.stack(label_terms(level.labels_BChw)).mean())
    names = ("scale_l1", "scale_perceptual", "scale_edges", "scale_labels")
    assert found.keys() == set(names)
    assert [float(found[name]) for name in names] == pytest.approx(list(expected.values()), rel=1e-5)


def test_a_cell_without_a_class_teaches_nothing():
    logits_BChw = random(2, CLASSES, 8, 8).requires_grad_()
    (slope_BChw,) = torch.autograd.grad(label_loss(logits_BChw, LABELS), logits_BChw)
    named_Bhw = shrunk_labels(LABELS, 8) != NO_CLASS
    assert torch.equal((slope_BChw != 0).any(1), named_Bhw) and not named_Bhw.all()


@pytest.mark.parametrize("unknown", [NO_CLASS, CLASSES, -1])
def test_without_any_class_the_loss_is_0_and_has_a_gradient_of_0(unknown):
    logits_BChw = random(2, CLASSES, 8, 8).requires_grad_()
    loss = label_loss(logits_BChw, torch.full_like(LABELS, unknown))
    (slope_BChw,) = torch.autograd.grad(loss, logits_BChw)
    assert loss.item() == 0.0 and not slope_BChw.any()


@pytest.mark.parametrize(
    ("levels", "labels", "compared", "absent"),
    [
        (restored(edges=False), LABELS, distance, {"scale_edges"}),
        (restored(classes=0), None, distance, {"scale_labels"}),
        (restored(), None, distance, {"scale_labels"}),  # a branch, and data without label maps
        (restored(), LABELS, None, {"scale_perceptual"}),
    ],
)
def test_a_term_that_has_nothing_to_compare_is_0(levels, labels, compared, absent):
    found = scale_losses(levels, IMAGE, EDGES, labels, compared and enlarged(compared))
    assert {name for name, term in found.items() if float(term) == 0.0} == absent


def test_perfect_restorations_lose_nothing():
    levels = [
        Restoration(
            F.adaptive_avg_pool2d(IMAGE, side),
            200 * shrunk_edges(EDGES, side) - 100,
            200.0 * (shrunk_labels(LABELS, side)[:, None] == torch.arange(CLASSES)[:, None, None]),
        )
        for side in SIDES
    ]
    found = scale_losses(levels, IMAGE, EDGES, LABELS, None)
    assert all(float(term) == pytest.approx(0.0, abs=1e-6) for term in found.values())
