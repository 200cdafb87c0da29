"""Completion: a pure function of image, mask and seed."""

from __future__ import annotations

import math

import torch

from stages.contract import Inpainter, Request
from stages.images.pixels import to_uint8
from stages.methods.dsi.inpaint import SHOWN
from stages.methods.dsi.sampling.code_colours import colours
from tests.methods.dsi.conftest import make_inpainter, request


def piece(whole: Request, image: int, sample: int) -> Request:
    """One sample of one image."""
    rows = slice(image, image + 1)
    return Request(whole.image_BCHW[rows], whole.known_B1HW[rows], whole.seeds_BK[rows, sample : sample + 1])


def test_a_sample_is_the_same_alone_and_in_a_batch_of_eight(family):
    """Its structure exactly, its picture to one grey level."""
    inpainter, whole = make_inpainter(family), request(count=4, samples=2)
    assert isinstance(inpainter, Inpainter)
    done = inpainter.sample(whole)
    for image, sample in ((0, 0), (2, 1), (3, 0)):
        alone = inpainter.sample(piece(whole, image, sample))
        assert torch.equal(alone.latents["structures"][0, 0], done.latents["structures"][image, sample])
        one, other = (to_uint8(x[None]).int() for x in (alone.raw_BKCHW[0, 0], done.raw_BKCHW[image, sample]))
        assert (one - other).abs().max() <= 1


def test_one_seed_repeats_and_two_differ(family):
    inpainter, whole = make_inpainter(family), request()
    first, again = (inpainter.sample(whole) for _ in range(2))
    assert torch.equal(first.raw_BKCHW, again.raw_BKCHW)
    assert not torch.equal(first.latents["structures"][:, 0], first.latents["structures"][:, 1])


def test_no_hole_content_enters(family):
    whole = request()
    content = torch.where(whole.known_B1HW > 0, whole.image_BCHW, torch.full((), math.nan))
    filled = Request(content, whole.known_B1HW, whole.seeds_BK)
    one, other = (make_inpainter(family).sample(asked) for asked in (whole, filled))
    assert torch.equal(one.raw_BKCHW, other.raw_BKCHW)


def test_known_positions_keep_the_encoders_codes_where_only_the_hole_is_drawn(family):
    """Cells farther than one from the hole: in a 4 x 4 grid with its middle masked there are none, so a small hole."""
    whole = request()
    known_B1HW = torch.ones_like(whole.known_B1HW)
    known_B1HW[..., 2:6, 2:6] = 0
    small = Request(torch.where(known_B1HW > 0, whole.image_BCHW, 0.0), known_B1HW, whole.seeds_BK)
    inpainter = make_inpainter(family, positions="hole")
    codes_BKHW = inpainter.sample(small).latents["structures"]
    read_BHW = inpainter.vq.structure_codes(small.image_BCHW)
    far_HW = torch.ones(4, 4, dtype=torch.bool)
    far_HW[:2, :2] = False
    assert torch.equal(codes_BKHW[..., far_HW], read_BHW[:, None, far_HW].expand(-1, 3, -1))
    assert not torch.equal(codes_BKHW[:, 0], codes_BKHW[:, 1])


def test_diversity_of_structures_rises_with_temperature(family):
    differing = []
    for temperature in (0.05, 1.0, 5.0):
        codes_BKHW = make_inpainter(family, temperature=temperature).sample(request()).latents["structures"]
        differing.append(float((codes_BKHW[:, 0] != codes_BKHW[:, 1]).float().mean()))
    assert differing[0] < differing[1] < differing[2]


def test_structures_are_side_pictures(family):
    inpainter, whole = make_inpainter(family), request(samples=SHOWN + 1)
    done = inpainter.sample(whole)
    names = {"structure", "structure_codes", *(f"structure-{k:02d}" for k in range(1, SHOWN))}
    assert set(done.side) == names and set(done.seconds) == {"condition", "structure", "texture"}
    codes_BKHW = done.latents["structures"]
    assert torch.equal(done.side["structure-02"], inpainter.vq.structure_alone(codes_BKHW[:, 2]))
    assert all(picture_BCHW.shape == (4, 3, 32, 32) for picture_BCHW in done.side.values())


def test_every_code_has_a_colour_of_its_own():
    seen = to_uint8(colours(torch.arange(512).view(1, 1, 512), 512))[0, 0]
    assert len(seen.unique(dim=0)) == 512
