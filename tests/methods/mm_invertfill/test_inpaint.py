"""Completion: a pure function of image, mask, guidance and seed (paper 002, Sec. 3.1, 3.3)."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from stages.contract import Guidance, Guided, Inpainter, Request, UserError
from stages.images.pixels import composite
from stages.methods.mm_invertfill.sampling.blending import blended
from stages.sampling.completion import Job, draw
from stages.sampling.inpainters import guided_methods
from tests.methods.mm_invertfill.whole import CLASSES, LABELLED, PLAIN, blocks, maps, near, noisy, request


def piece(whole: Request, image: int, sample: int) -> Request:
    """One sample of one image, with that image's maps."""
    rows, given = slice(image, image + 1), whole.guidance
    own = Guidance(**{name: value[rows] for name, value in vars(given).items() if value is not None}) if given else None
    seeds_BK = whole.seeds_BK[rows, sample : sample + 1]
    return Request(whole.image_BCHW[rows], whole.known_B1HW[rows], seeds_BK, own)


@pytest.mark.parametrize("sampling", ["noise", "latent"])
def test_a_sample_is_the_same_alone_and_in_a_batch_of_six(labelled, sampling):
    inpainter, whole = LABELLED.inpainter(labelled, sampling=sampling), request(count=3, guidance=maps(count=3))
    assert isinstance(inpainter, Inpainter)
    raw_BKCHW = inpainter.sample(whole).raw_BKCHW
    for image, sample in ((0, 0), (1, 1), (2, 0)):
        assert near(inpainter.sample(piece(whole, image, sample)).raw_BKCHW[0, 0], raw_BKCHW[image, sample])


def test_samples_come_in_the_order_of_their_seeds(labelled):
    inpainter, whole = LABELLED.inpainter(labelled), request(samples=3)
    raw_BKCHW = inpainter.sample(whole).raw_BKCHW
    turned = replace(whole, seeds_BK=whole.seeds_BK.flip(1))
    assert near(inpainter.sample(turned).raw_BKCHW.flip(1), raw_BKCHW)


@pytest.mark.parametrize("sampling", ["noise", "latent"])
def test_one_seed_repeats_and_two_differ(family, sampling):
    inpainter = PLAIN.inpainter(family, sampling=sampling)
    first, again = (inpainter.sample(request()).raw_BKCHW for _ in range(2))
    assert torch.equal(first, again) and first.abs().max() <= 1
    assert (first[:, 0] - first[:, 1]).abs().mean() > 0.01


def test_a_generator_that_does_not_hear_noise_has_one_completion_unless_styles_are_drawn_too(family):
    silent = {**family, "prior": noisy(family["prior"], 0.0)}
    raw_BKCHW = PLAIN.inpainter(silent).sample(request()).raw_BKCHW
    assert torch.equal(raw_BKCHW[:, 0], raw_BKCHW[:, 1])
    raw_BKCHW = PLAIN.inpainter(silent, sampling="latent").sample(request()).raw_BKCHW
    assert (raw_BKCHW[:, 0] - raw_BKCHW[:, 1]).abs().mean() > 0.01


def test_styles_drawn_at_scale_0_are_the_encoders_and_further_off_the_larger_it_is(family):
    plain_BKCHW = PLAIN.inpainter(family).sample(request()).raw_BKCHW
    away = []
    for scale in (0.0, 0.1, 0.5):
        raw_BKCHW = PLAIN.inpainter(family, sampling="latent", latent_scale=scale).sample(request()).raw_BKCHW
        away.append(float((raw_BKCHW - plain_BKCHW).abs().mean()))
    assert away[0] == 0.0 < away[1] < away[2]


def test_what_a_map_holds_where_its_own_mask_is_0_reaches_no_completion(labelled):
    inpainter, given, asked = LABELLED.inpainter(labelled), maps(), request()
    spoilt_BCHW = torch.where(asked.known_B1HW > 0, asked.image_BCHW, torch.nan)
    edges_B1HW = torch.where(given.edges_known_B1HW > 0, given.edges_B1HW, torch.nan)
    labels_BHW = torch.where(given.labels_known_B1HW[:, 0] > 0, given.labels_BHW, 1)
    assert not torch.equal(labels_BHW, given.labels_BHW)
    other = replace(given, edges_B1HW=edges_B1HW, labels_BHW=labels_BHW)
    one = inpainter.sample(replace(asked, guidance=given))
    another = inpainter.sample(replace(asked, image_BCHW=spoilt_BCHW, guidance=other))
    assert torch.equal(one.raw_BKCHW, another.raw_BKCHW)
    assert all(torch.equal(picture, another.side[name]) for name, picture in one.side.items())


@pytest.mark.parametrize("absent", ["edges", "labels", "both"])
def test_what_maps_hold_where_they_are_known_reaches_completions(labelled, absent):
    given = maps()
    others = {
        "edges": Guidance(None, None, given.labels_BHW, given.labels_known_B1HW),
        "labels": Guidance(given.edges_B1HW, given.edges_known_B1HW),
        "both": None,
    }
    inpainter = LABELLED.inpainter(labelled)
    one, other = (inpainter.sample(request(guidance=guidance)).raw_BKCHW for guidance in (given, others[absent]))
    assert (one - other).abs().mean() > 1e-5


@pytest.mark.parametrize("edges", ["none", "visible", "gt"])
@pytest.mark.parametrize("labels", ["none", "visible", "gt"])
def test_guidance_is_of_the_kind_that_params_name(labelled, edges, labels):
    inpainter, batch = LABELLED.inpainter(labelled, edges=edges, labels=labels), blocks(0)
    found = inpainter.guidance(batch.image_BCHW, batch.known_B1HW, batch.labels_BHW)
    masks = {"none": None, "visible": batch.known_B1HW, "gt": torch.ones_like(batch.known_B1HW)}
    for kind, map_BHW, mask_B1HW in (
        (edges, found.edges_B1HW, found.edges_known_B1HW),
        (labels, found.labels_BHW, found.labels_known_B1HW),
    ):
        assert (map_BHW is None) == (mask_B1HW is None) == (kind == "none")
        assert kind == "none" or torch.equal(mask_B1HW, masks[kind])
    assert inpainter.guided_by_truth is ("gt" in (edges, labels))
    assert isinstance(inpainter, Guided) and (inpainter.edges, inpainter.classes) == (True, CLASSES)


def test_the_truths_labels_cannot_be_had_of_data_without_and_visible_ones_are_then_not_given(labelled):
    batch = blocks(0)
    with pytest.raises(UserError, match=r"methods\.mm_invertfill\.inpaint\.labels: gt needs .* label maps") as error:
        LABELLED.inpainter(labelled, labels="gt").guidance(batch.image_BCHW, batch.known_B1HW, None)
    assert "\n" not in str(error.value)
    found = LABELLED.inpainter(labelled, labels="visible").guidance(batch.image_BCHW, batch.known_B1HW, None)
    assert found.labels_BHW is None and found.edges_B1HW is not None


@pytest.mark.parametrize("off", ["edges", "labels"])
def test_a_branch_that_is_off_takes_no_channel_and_no_map_guides(labelled, accelerator, off):
    part = LABELLED.part("encoder", labelled, accelerator, **{off: False})
    full = LABELLED.part("encoder", labelled, accelerator)
    taken = [next(one.model.backbone.to_half.parameters()).shape[1] for one in (full, part)]
    assert taken[0] - taken[1] == {"edges": 2, "labels": CLASSES + 1}[off]
    family = {**labelled, "encoder": LABELLED.release("encoder", part, **{off: False})}
    inpainter, batch = LABELLED.inpainter(family, **{off: "gt"}), blocks(0)
    assert (inpainter.edges, inpainter.classes) == ((False, CLASSES) if off == "edges" else (True, 0))
    assert not inpainter.guided_by_truth
    found = inpainter.guidance(batch.image_BCHW, batch.known_B1HW, batch.labels_BHW)
    assert (found.edges_B1HW if off == "edges" else found.labels_BHW) is None


def test_data_without_classes_has_no_label_branch(family):
    inpainter = PLAIN.inpainter(family)
    assert (inpainter.edges, inpainter.classes) == (True, 0)
    assert set(inpainter.sample(request()).side) == {"restored", "edges"}


def test_a_persons_map_stands_in_the_place_of_the_methods_own(labelled):
    inpainter, given, asked = LABELLED.inpainter(labelled), maps(count=1), request(count=1)
    job = Job(inpainter, torch.device("cpu"), None, seeds=(0, 1))

    def drawn(guidance: Guidance):
        return draw(job, asked.image_BCHW, asked.known_B1HW, guidance)

    own = inpainter.guidance(asked.image_BCHW, asked.known_B1HW, None)
    assert torch.equal(drawn(Guidance()), inpainter.sample(replace(asked, guidance=own)).raw_BKCHW[0])
    assert torch.equal(drawn(given), inpainter.sample(replace(asked, guidance=given)).raw_BKCHW[0])
    labels = Guidance(labels_BHW=given.labels_BHW, labels_known_B1HW=given.labels_known_B1HW)
    beside = replace(labels, edges_B1HW=own.edges_B1HW, edges_known_B1HW=own.edges_known_B1HW)
    assert torch.equal(drawn(labels), inpainter.sample(replace(asked, guidance=beside)).raw_BKCHW[0])
    assert len({drawn(one).sum().item() for one in (Guidance(), given, labels)}) == 3


def test_it_is_known_without_weights_that_maps_guide_it():
    assert "mm_invertfill" in guided_methods()


def test_completions_are_blended_where_params_say_so(family):
    asked = request()
    raw = PLAIN.inpainter(family).sample(asked)
    mixed = PLAIN.inpainter(family, blend=True).sample(asked)
    assert torch.equal(mixed.raw_BKCHW, blended(raw.raw_BKCHW, asked.image_BCHW, asked.known_B1HW))
    whole_BCHW = composite(mixed.raw_BKCHW[:, 0], asked.image_BCHW, asked.known_B1HW)
    assert torch.equal(whole_BCHW, mixed.raw_BKCHW[:, 0])  # nothing is left to composite
    assert set(mixed.seconds) == {*raw.seconds, "blend"} == {"encode", "generate", "blend"}


def test_what_the_finest_scale_restores_is_shown(labelled):
    side = LABELLED.inpainter(labelled).sample(request(samples=3)).side
    assert set(side) == {"restored", "edges", "labels"}
    assert all(picture.shape == (2, 3, 32, 32) and picture.abs().max() <= 1 for picture in side.values())
    assert len(side["labels"].movedim(1, 3).reshape(-1, 3).unique(dim=0)) <= CLASSES
