"""An encoder and the generator that it inverts: what passes between them, and which fit (paper 002, Sec. 3.3, 5.2)."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from stages.contract import Spec, UserError
from tests.methods.mm_invertfill.conftest import MADE
from tests.methods.mm_invertfill.whole import LABELLED, PLAIN, SIZE, WIDTHS, blocks, untrained
from tests.methods.small import Small, learn


@pytest.mark.parametrize("space", ["f_w_plus", "w_plus"])
def test_the_generator_sees_pixels_by_what_is_added_alone(labelled, accelerator, space):
    """With F&W+ off its `added` is empty and, styles held, no pixel moves the picture; with it on known pixels do."""
    part, batch = LABELLED.part("encoder", labelled, accelerator, space=space), blocks(0)
    learn(part, blocks, range(1))  # the maps begin at 0
    image_BCHW = batch.image_BCHW.clone().requires_grad_()
    seen = part.inverter.see(image_BCHW, batch.known_B1HW, None)
    raw_BCHW = part.inverter.paint(replace(seen, w_BLD=seen.w_BLD.detach()), part.inverter.noise(2))
    if space == "w_plus":
        assert seen.features == {} and not raw_BCHW.requires_grad
        return
    (slope_BCHW,) = torch.autograd.grad(raw_BCHW.square().sum(), image_BCHW)
    assert set(seen.features) == {4, 8, 16}
    assert torch.equal((slope_BCHW != 0).any(1, keepdim=True).float(), batch.known_B1HW)


def test_styles_begin_about_the_generators_mean(labelled, accelerator):
    """So an untrained encoder's completions are pictures of the generator's, and its maps add nothing yet."""
    part, batch = LABELLED.part("encoder", labelled, accelerator), blocks(0)
    with torch.no_grad():
        seen = part.inverter.see(batch.image_BCHW, batch.known_B1HW, None)
        w_RD = part.inverter.generator.mapping(torch.randn(500, WIDTHS["latent"]))
    apart_D = (seen.w_BLD - w_RD.mean(0)).square().mean((0, 1)).sqrt()
    assert (apart_D < w_RD.std(0)).all() and (apart_D > 0.1 * w_RD.std(0)).all()
    assert not any(map_BCHW.any() for map_BCHW in seen.features.values())


def test_a_generator_of_another_dataset_will_do_and_one_of_another_size_is_refused(accelerator):
    """16 px, no classes, other widths: what must agree is the side alone."""
    other = Small("mm_invertfill", {"prior": {**WIDTHS, "latent": 6, "base": 128}}, Spec(SIZE))
    parents = {"prior": untrained(other)}
    learn(LABELLED.part("encoder", parents, accelerator), blocks, range(1))
    small = {"prior": untrained(MADE)}
    for space in ("f_w_plus", "w_plus", "none"):
        with pytest.raises(UserError, match=r"datasets: .* images have 32 px, .* 16 px; train both") as error:
            PLAIN.part("encoder", small, accelerator, space=space)
        assert "\n" not in str(error.value)


def test_a_generator_without_maps_of_the_scales_is_refused_where_maps_are_added(accelerator):
    small = {"prior": untrained(MADE)}
    changes = {"attention": "none", "spec": Spec(16)}
    with pytest.raises(UserError, match=r"16 px: .* no maps of 2 px that f_w_plus .* choose 32 px or more, .*w_plus"):
        PLAIN.part("encoder", small, accelerator, **changes)
    for space in ("w_plus", "none"):
        part = PLAIN.part("encoder", small, accelerator, space=space, **changes)
        assert part.inverter.generator.sides[-1] == 16
