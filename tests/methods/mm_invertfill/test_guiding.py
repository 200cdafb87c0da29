"""What guides a batch: edges and labels of what is known, of all, or none, and nothing of the hole unasked for."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from skimage.color import rgb2gray
from skimage.feature import canny
from torch import Tensor

from stages.contract import Batch
from stages.methods.mm_invertfill.blocks.edges import edges_of
from stages.methods.mm_invertfill.blocks.guiding import ALL, NOTHING, VISIBLE, Truth, drawn
from stages.methods.mm_invertfill.blocks.modalities import Inputs
from tests.methods.mm_invertfill.encoders import random
from tests.methods.mm_invertfill.whole import CLASSES, blocks

KINDS = ("none", "visible", "gt")


def repainted(batch: Batch, content: float | Tensor) -> Batch:
    """The batch with something else in its hole."""
    return replace(batch, image_BCHW=torch.where(batch.known_B1HW > 0, batch.image_BCHW, torch.as_tensor(content)))


@pytest.mark.parametrize("sigma", [1.0, 2.0])
def test_edges_of_a_whole_image_are_scikit_images(sigma):
    image_BCHW = (blocks(0).image_BCHW + random(2, 3, 32, 32) / 20).clamp(-1, 1)  # no two gradients are alike
    found_B1HW = edges_of(image_BCHW, sigma)
    for picture_CHW, edges_1HW in zip(image_BCHW, found_B1HW, strict=True):
        grey_HW = rgb2gray((picture_CHW.permute(1, 2, 0).numpy() + 1) / 2)
        assert np.array_equal(edges_1HW[0].numpy() > 0, canny(grey_HW, sigma))
    assert 0.01 < found_B1HW.mean() < 0.3 and found_B1HW.dtype == image_BCHW.dtype


def test_edges_are_the_same_alone_and_in_a_batch_and_in_either_memory_format():
    batch = blocks(0, count=5)
    for masks_B1HW in (None, batch.known_B1HW):
        whole_B1HW = edges_of(batch.image_BCHW, 1.0, masks_B1HW)
        for b in range(5):
            known_B1HW = None if masks_B1HW is None else masks_B1HW[b : b + 1]
            assert torch.equal(edges_of(batch.image_BCHW[b : b + 1], 1.0, known_B1HW), whole_B1HW[b : b + 1])
        other_BCHW = batch.image_BCHW.to(memory_format=torch.channels_last)
        assert torch.equal(edges_of(other_BCHW, 1.0, masks_B1HW), whole_B1HW)


@pytest.mark.parametrize("content", [0.0, 1.0, torch.nan, torch.inf, random(2, 3, 32, 32)], ids=str)
def test_edges_of_what_is_known_are_the_same_whatever_the_hole_holds(content):
    batch = blocks(0)
    expected_B1HW = edges_of(batch.image_BCHW, 1.0, batch.known_B1HW)
    assert torch.equal(edges_of(repainted(batch, content).image_BCHW, 1.0, batch.known_B1HW), expected_B1HW)
    assert expected_B1HW.any()


def test_neither_a_hole_nor_its_contour_is_an_edge():
    batch = blocks(0)
    beside_B1HW = F.max_pool2d(1 - batch.known_B1HW, 3, 1, 1)
    assert not (edges_of(batch.image_BCHW, 1.0, batch.known_B1HW) * beside_B1HW).any()
    grey_BCHW = torch.full_like(batch.image_BCHW, 0.3)
    for content in (-1.0, 1.0):
        painted_BCHW = repainted(replace(batch, image_BCHW=grey_BCHW), content).image_BCHW
        assert not edges_of(painted_BCHW, 1.0, batch.known_B1HW).any() and edges_of(painted_BCHW, 1.0).any()


def test_with_nothing_missing_the_known_edges_are_all_of_them():
    image_BCHW = blocks(0).image_BCHW
    assert torch.equal(edges_of(image_BCHW, 1.0, torch.ones(2, 1, 32, 32)), edges_of(image_BCHW, 1.0))
    assert not edges_of(image_BCHW, 1.0, torch.zeros(2, 1, 32, 32)).any()


@pytest.mark.parametrize(("edges", "labels"), [*product(KINDS, KINDS)])
def test_guidance_is_of_the_kind_asked_for(edges, labels):
    batch = blocks(0)
    truth, ones_B1HW = Truth.of(batch, 1.0), torch.ones_like(batch.known_B1HW)
    masks = {"none": torch.zeros_like(ones_B1HW), "visible": batch.known_B1HW, "gt": ones_B1HW}
    found = truth.guidance(batch.known_B1HW, edges, labels)
    assert torch.equal(found.edges_known_B1HW, masks[edges]) and torch.equal(found.labels_known_B1HW, masks[labels])
    assert torch.equal(found.labels_BHW, batch.labels_BHW)
    known = None if edges == "gt" else batch.known_B1HW
    expected_B1HW = edges_of(batch.image_BCHW, 1.0, known)
    assert torch.equal(found.edges_B1HW * masks[edges], expected_B1HW * masks[edges])


@pytest.mark.parametrize(("edges", "labels"), [*product(KINDS[:2], KINDS[:2])])
def test_what_the_truths_holes_hold_does_not_guide_unless_gt_says_so(edges, labels):
    batch = blocks(0)
    other = repainted(batch, torch.nan)
    other = replace(other, labels_BHW=torch.where(batch.known_B1HW[:, 0] > 0, batch.labels_BHW, 0))
    inputs = [
        Inputs.guided(b.image_BCHW, b.known_B1HW, Truth.of(b, 1.0).guidance(b.known_B1HW, edges, labels), CLASSES)
        for b in (batch, other)
    ]
    one_BCHW, other_BCHW = (one.channels(edges=True, labels=True) for one in inputs)
    assert torch.equal(one_BCHW, other_BCHW) and not other_BCHW.isnan().any()


def test_without_label_maps_edges_alone_guide():
    batch = blocks(0, labelled=False)
    found = Truth.of(batch, 1.0).guidance(batch.known_B1HW, "gt", "gt")
    assert found.labels_BHW is None and found.labels_known_B1HW is None and found.edges_B1HW is not None


def test_a_mixture_has_each_kind_for_a_third_of_the_images_and_edges_and_labels_apart():
    known_B1HW = torch.zeros(3000, 1, 1, 1)
    torch.manual_seed(0)
    edges_B, labels_B = (drawn("mixed", known_B1HW).flatten() for _ in range(2))
    counts = torch.bincount(3 * edges_B + labels_B, minlength=9) / 3000
    assert (counts - 1 / 9).abs().max() < 0.02
    assert {NOTHING, VISIBLE, ALL} == set(edges_B.tolist())


def test_a_mixed_batchs_images_are_each_guided_as_their_kind_says():
    batch = blocks(0, count=12)
    truth = Truth.of(batch, 1.0)
    torch.manual_seed(3)
    edges_B, labels_B = (drawn("mixed", batch.known_B1HW).flatten().tolist() for _ in range(2))
    torch.manual_seed(3)
    found = truth.guidance(batch.known_B1HW, "mixed", "mixed")
    for b, (edges, labels) in enumerate(zip(edges_B, labels_B, strict=True)):
        alone = truth.guidance(batch.known_B1HW, KINDS[edges], KINDS[labels])
        assert torch.equal(found.edges_known_B1HW[b], alone.edges_known_B1HW[b])
        assert torch.equal(found.labels_known_B1HW[b], alone.labels_known_B1HW[b])
        assert torch.equal(
            found.edges_B1HW[b] * found.edges_known_B1HW[b], (alone.edges_B1HW * alone.edges_known_B1HW)[b]
        )
    assert len(set(zip(edges_B, labels_B, strict=True))) > 4
