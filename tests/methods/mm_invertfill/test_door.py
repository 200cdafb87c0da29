"""From the sampler's door to the completions: what holes hold stays outside, unless an ablation asks for the truth."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
import torch

from stages.contract import NO_CLASS, Spec, Trained
from stages.images.pixels import Bool, Uint8, to_uint8
from stages.sampling.sampler import Sampler
from stages.sampling.testsets import TestSet, TestSetParams
from tests.methods.mm_invertfill.whole import CLASSES, LABELLED, SIZE, blocks

CPU = torch.device("cpu")
KINDS = ("none", "visible", "gt")


@dataclass(frozen=True)
class Held:
    """A dataset and its holes, in memory; `changed` names what its holes hold otherwise."""

    changed: tuple[str, ...] = ()
    name: str = "held"
    hash: str = ""
    spec: Spec = field(default_factory=lambda: Spec(SIZE, CLASSES))
    keys: list[str] = field(default_factory=lambda: ["a", "b"])
    sources: list[str] = field(default_factory=lambda: ["a", "b"])

    def hole(self, key: str) -> Bool:
        return (blocks(0).known_B1HW[0, 0] == 0).numpy()

    def image(self, index: int) -> Uint8:
        image_HWC = to_uint8(blocks(0).image_BCHW)[index].numpy()
        return np.where(self.hole("")[..., None] & ("image" in self.changed), 255 - image_HWC, image_HWC)

    def labels(self, index: int) -> Uint8:
        labels_HW = blocks(0).labels_BHW[index].numpy().astype(np.uint8)
        other_HW = np.where(labels_HW == NO_CLASS, 0, CLASSES - 1 - labels_HW)
        return np.where(self.hole("") & ("labels" in self.changed), other_HW, labels_HW).astype(np.uint8)


def drawn(family: dict[str, Trained], kinds: tuple[str, str], *changed: str) -> Uint8:
    """All completions of a test set of two images, through the sampler."""
    edges, labels = kinds
    params, held = TestSetParams(dataset="held", masks="middle", samples=2), Held(changed)
    sampler = Sampler(lambda: LABELLED.inpainter(family, edges=edges, labels=labels), CPU)
    return sampler.draw(TestSet("held", params, held, held, (0, 1)), (0, 1)).raw_BKHWC


@pytest.mark.parametrize("edges", KINDS[:2])
@pytest.mark.parametrize("labels", KINDS[:2])
def test_what_holes_hold_reaches_no_completion(labelled, edges, labels):
    expected = drawn(labelled, (edges, labels))
    assert (drawn(labelled, (edges, labels), "image", "labels") == expected).all()


@pytest.mark.parametrize(
    ("kinds", "read"),
    [
        (("gt", "none"), "image"),
        (("none", "gt"), "labels"),
        (("visible", "gt"), "labels"),
        (("gt", "visible"), "image"),
    ],
    ids=str,
)
def test_an_ablation_reads_the_truth_of_what_it_names_and_of_that_alone(labelled, kinds, read):
    """Where the truth of one map guides, both come whole to the door; the other is still read where it is known."""
    expected = drawn(labelled, kinds)
    assert (drawn(labelled, kinds, read) != expected).any()
    (other,) = {"image", "labels"} - {read}
    assert (drawn(labelled, kinds, other) == expected).all()


def test_every_kind_of_guidance_completes_otherwise(labelled):
    found = {(edges, labels): drawn(labelled, (edges, labels)).tobytes() for edges in KINDS for labels in KINDS}
    assert len(set(found.values())) == len(found)


def test_a_test_set_of_any_batch_is_completed_alike(labelled):
    held = Held()
    testset = TestSet("held", TestSetParams(dataset="held", masks="middle", samples=2), held, held, (0, 1))
    sampler = Sampler(lambda: LABELLED.inpainter(labelled, labels="visible"), CPU)
    whole = sampler.draw(testset, (0, 1)).raw_BKHWC.astype(int)
    for b in range(2):
        alone = sampler.draw(replace(testset, chosen=(b,)), (b,)).raw_BKHWC[0].astype(int)
        assert np.abs(alone - whole[b]).max() <= 1
