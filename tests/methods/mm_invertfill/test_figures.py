"""Figures of an encoder on val are the means that they say, by whatever batches, and its pictures are pictures."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from stages.contract import Batch
from stages.losses.overlap import confusion, iou_of_majority, mean_iou
from stages.losses.pixels import psnr
from stages.methods.mm_invertfill.blocks.edges import edges_of
from stages.methods.mm_invertfill.blocks.modalities import Inputs
from stages.methods.mm_invertfill.blocks.scale_losses import shrunk_labels
from stages.nets.seeded import generators
from tests.methods.conftest import mean_square
from tests.methods.mm_invertfill.whole import CLASSES, LABELLED, PLAIN, SIZE, blocks
from tests.methods.small import figures_of, learn

PLAINLY = {"psnr_hole", "psnr", "lpips"}
GUIDED = {f"{name}_guided" for name in PLAINLY}
IOU = {"iou", "iou_majority"}
TENSORS = ("image_BCHW", "known_B1HW", "seeds_B", "labels_BHW")  # of a batch


@pytest.fixture
def part(labelled, accelerator):
    """An encoder after a few steps."""
    part = LABELLED.part("encoder", labelled, accelerator)
    learn(part, blocks, range(3))
    return part


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({}, PLAINLY | GUIDED | IOU),
        ({"edges": False}, PLAINLY | GUIDED | IOU),
        ({"labels": False}, PLAINLY | GUIDED),
        ({"edges": False, "labels": False}, PLAINLY),
        ({"space": "none"}, PLAINLY | GUIDED | IOU),
    ],
    ids=["both", "no edges", "no labels", "neither", "no inversion"],
)
def test_figures_are_of_the_branches_that_there_are(labelled, accelerator, changes, names):
    found = figures_of(LABELLED.part("encoder", labelled, accelerator, **changes), [blocks(0)])
    assert set(found) == names


def test_data_without_label_maps_have_no_figures_of_them(family, accelerator):
    found = figures_of(PLAIN.part("encoder", family, accelerator), [blocks(0, labelled=False)])
    assert set(found) == PLAINLY | GUIDED


@torch.no_grad()
def by_hand(part, batch: Batch, guided: bool) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Raw completions, whole ones, and the classes predicted."""
    known_B1HW, ones_B1HW = batch.known_B1HW, torch.ones_like(batch.known_B1HW)
    edges_B1HW = edges_of(batch.image_BCHW, 1.0, None if guided else known_B1HW)
    labels_BCHW = torch.stack([batch.labels_BHW == label for label in range(CLASSES)], 1).float()
    masks = (ones_B1HW, ones_B1HW) if guided else (known_B1HW, torch.zeros_like(ones_B1HW))
    seen = part.model(Inputs(batch.image_BCHW, known_B1HW, edges_B1HW, masks[0], labels_BCHW, masks[1]))
    noise = part.inverter.generator.seeded_noise(generators(batch.seeds_B))
    raw_BCHW = part.inverter.generator(seen.w_BLD, noise, seen.features).clamp(-1, 1)
    whole_BCHW = torch.where(known_B1HW > 0, batch.image_BCHW, raw_BCHW)
    return raw_BCHW, whole_BCHW, seen.restored[2].labels_BChw.argmax(1)


@pytest.mark.parametrize("guided", [False, True])
def test_figures_are_of_completions_by_edges_of_what_is_known_and_by_the_whole_truth(part, guided):
    batch, ending = blocks(5), "_guided" if guided else ""
    raw_BCHW, whole_BCHW, predicted_Bhw = by_hand(part, batch, guided)
    expected = {
        "psnr": psnr(whole_BCHW, batch.image_BCHW).mean(),
        "psnr_hole": psnr(raw_BCHW, batch.image_BCHW, 1 - batch.known_B1HW).mean(),
        "lpips": mean_square(whole_BCHW, batch.image_BCHW).mean(),
    }
    found = figures_of(part, [batch])
    assert {name: found[f"{name}{ending}"] for name in expected} == pytest.approx(
        {name: float(value) for name, value in expected.items()}, rel=1e-4
    )
    if not guided:
        counts_TP = confusion(shrunk_labels(batch.labels_BHW, SIZE // 2), predicted_Bhw, CLASSES)
        assert (found["iou"], found["iou_majority"]) == (mean_iou(counts_TP), iou_of_majority(counts_TP))


def test_figures_do_not_depend_on_batches(part):
    batch = blocks(5, count=4)
    rows = [
        replace(batch, keys=batch.keys[b : b + 1], **{name: getattr(batch, name)[b : b + 1] for name in TENSORS})
        for b in range(4)
    ]
    assert figures_of(part, rows) == pytest.approx(figures_of(part, [batch]), rel=1e-4)


def test_an_image_without_a_hole_has_no_psnr_of_its_completion(part):
    batch = blocks(5)
    known_B1HW = batch.known_B1HW.clone()
    known_B1HW[1] = 1
    both = figures_of(part, [replace(batch, known_B1HW=known_B1HW)])
    one = figures_of(part, [replace(batch, keys=("0",), **{name: getattr(batch, name)[:1] for name in TENSORS})])
    for name in ("psnr_hole", "psnr_hole_guided", "psnr", "psnr_guided"):
        assert both[name] == pytest.approx(one[name], rel=1e-4)


@pytest.mark.parametrize("changes", [{}, {"edges": False}, {"space": "none"}], ids=str)
def test_pictures_are_pictures(labelled, accelerator, changes):
    batch = blocks(1)
    shown = LABELLED.part("encoder", labelled, accelerator, **changes).pictures(batch)
    assert set(shown) == {"masked", "raw", "guided", "restored", "edges", "labels"} - ({"edges"} & changes.keys())
    for picture_BCHW in shown.values():
        assert picture_BCHW.shape == (2, 3, SIZE, SIZE) and picture_BCHW.abs().max() <= 1
    assert not (shown["masked"] * (1 - batch.known_B1HW)).any()
    assert torch.equal(shown["masked"] * batch.known_B1HW, batch.image_BCHW * batch.known_B1HW)


def test_completions_are_shown_as_figures_are_taken_plain_and_with_the_whole_truth(part):
    batch = blocks(5)
    shown = part.pictures(batch)
    for name, guided in (("raw", False), ("guided", True)):
        assert torch.allclose(shown[name], by_hand(part, batch, guided)[0], atol=1e-5)
