"""Completion, transfer and likelihood: pure functions of image, mask and seed."""

from __future__ import annotations

import math

import pytest
import torch

from stages.contract import Inpainter, Request, Scores, Transfers
from stages.images.pixels import blank, to_uint8
from stages.methods.flow_fill import inpaint
from stages.methods.flow_fill.blocks.depth import continuous
from stages.methods.flow_fill.blocks.generator import enlarged
from stages.methods.flow_fill.blocks.noise import normal
from stages.nets.seeded import generators
from stages.sampling import inpainters
from tests.methods.flow_fill.conftest import blocks, make_inpainter


def request(k: int = 7, count: int = 4, samples: int = 3) -> Request:
    batch = blocks(k, count)
    seeds_BK = torch.arange(count * samples).view(count, samples)
    return Request(blank(batch.image_BCHW, batch.known_B1HW), batch.known_B1HW, seeds_BK)


def piece(whole: Request, image: int, sample: int) -> Request:
    """One sample of one image."""
    rows = slice(image, image + 1)
    return Request(whole.image_BCHW[rows], whole.known_B1HW[rows], whole.seeds_BK[rows, sample : sample + 1])


def test_it_has_the_capabilities(family):
    inpainter = make_inpainter(family)
    assert all(isinstance(inpainter, capability) for capability in (Inpainter, Transfers, Scores))


def test_a_sample_depends_on_its_own_seed_alone(family):
    """The same picture to one grey level, alone or in a batch."""
    inpainter, whole = make_inpainter(family), request()
    together = to_uint8(inpainter.sample(whole).raw_BKCHW.flatten(0, 1)).unflatten(0, (4, 3))
    for image, sample in ((0, 0), (2, 1), (3, 2)):
        alone = to_uint8(inpainter.sample(piece(whole, image, sample)).raw_BKCHW[:, 0])[0]
        assert (alone.int() - together[image, sample].int()).abs().max() <= 1


def test_one_seed_repeats_and_two_differ(family):
    inpainter, whole = make_inpainter(family), request()
    first, again = (inpainter.sample(whole).raw_BKCHW for _ in range(2))
    assert torch.equal(first, again)
    assert not torch.allclose(first[:, 0], first[:, 1], atol=1e-3)


def test_no_hole_content_enters(family):
    inpainter, whole = make_inpainter(family), request()
    content = torch.where(whole.known_B1HW > 0, whole.image_BCHW, torch.full((), math.nan))
    filled = Request(content, whole.known_B1HW, whole.seeds_BK)
    assert torch.equal(inpainter.sample(whole).raw_BKCHW, inpainter.sample(filled).raw_BKCHW)


def test_diversity_rises_with_temperature_and_none_is_left_at_zero(family):
    spreads = []
    for temperature in (0.0, 0.3, 1.0):
        raw_BKCHW = make_inpainter(family, temperature=temperature, texture=False).sample(request()).raw_BKCHW
        spreads.append(float((raw_BKCHW[:, 0] - raw_BKCHW[:, 1]).abs().mean()))
    assert spreads[0] == 0 and spreads[0] < spreads[1] < spreads[2]


def test_the_prior_is_a_side_picture_and_the_picture_without_texture(family):
    done = make_inpainter(family, texture=False).sample(request())
    assert torch.equal(done.side["prior"], done.raw_BKCHW[:, 0])
    textured = make_inpainter(family).sample(request())
    assert torch.equal(textured.side["prior"], done.side["prior"])
    assert textured.raw_BKCHW.shape == (4, 3, 3, 32, 32) and textured.raw_BKCHW.abs().max() <= 1
    assert set(textured.seconds) == {"condition", "invert", "texture"}


def test_transfer_from_itself_gives_the_image_back(family):
    """f^-1(f(I; I_m); I_m) = I: the stage-1 picture of the target is met in the source where both are one."""
    inpainter, batch = make_inpainter(family), blocks(7)
    done = inpainter.transfer(request(), batch.image_BCHW)
    assert done.raw_BKCHW.shape == (4, 1, 3, 32, 32)
    expected_BCHW = enlarged(inpainter.prior.shrunk(batch.image_BCHW), 32)
    assert (done.side["prior"] - expected_BCHW).abs().max() < 1e-3


def test_transferred_latents_are_met_again_in_the_source(family):
    """f(f^-1(z; source); source) = z."""
    inpainter, whole, target = make_inpainter(family), request(), blocks(8)
    with torch.no_grad():
        ours = inpainter.prior.conditions(whole.image_BCHW, whole.known_B1HW)
        theirs = inpainter.prior.conditions(target.image_BCHW, target.known_B1HW)
        z, _ = inpainter.prior.encode(continuous(inpainter.prior.shrunk(target.image_BCHW)), theirs)
        again, _ = inpainter.prior.encode(inpainter.prior.flow.inverse(z, ours), ours)
    assert all((one - other).abs().max() < 1e-3 for one, other in zip(z, again, strict=True))


def test_transfer_follows_its_target(family):
    inpainter = make_inpainter(family, texture=False)  # a generator of four steps minds little
    one, other = (inpainter.transfer(request(), blocks(k).image_BCHW).raw_BKCHW for k in (8, 9))
    assert not torch.allclose(one, other, atol=1e-2)


def log_normal(latents: list[torch.Tensor]) -> torch.Tensor:
    return torch.stack([torch.distributions.Normal(0, 1).log_prob(z).sum((1, 2, 3)) for z in latents]).sum(0)


@pytest.mark.parametrize("temperature", [0.7, 1.0])
def test_likelihood_is_the_flows_own_of_its_own_draws(family, temperature):
    """log p of f^-1(z) is log N(z) less the inverse's log-determinant; the generator does not enter."""
    whole, inpainter = request(), make_inpainter(family, temperature=temperature)
    net = inpainter.prior
    z = [temperature * z_RCHW for z_RCHW in normal(generators(whole.seeds_BK), net.latents)]
    with torch.no_grad():
        conditions = net.conditions(whole.image_BCHW, whole.known_B1HW)
        _, logdet_R = net.flow(net.flow.inverse(z, conditions), conditions)
    expected_R = log_normal(z) + logdet_R - 3 * 16 * 16 * net.bits * math.log(2)
    nats_BK = inpainter.log_likelihood(whole)
    assert torch.allclose(nats_BK, expected_R.view(4, 3), rtol=1e-5)
    assert (nats_BK.argsort(1) == expected_R.view(4, 3).argsort(1)).all()
    textureless = make_inpainter(family, temperature=temperature, texture=False)
    assert torch.equal(nats_BK, textureless.log_likelihood(whole))


def test_likelihood_does_not_depend_on_the_batch(family):
    inpainter, whole = make_inpainter(family), request()
    alone = inpainter.log_likelihood(piece(whole, 2, 1))
    assert alone.item() == pytest.approx(inpainter.log_likelihood(whole)[2, 1].item(), rel=1e-4)


@pytest.mark.parametrize(
    ("correct", "texture", "told"), [(True, True, True), (True, False, False), (False, True, False)]
)
def test_raw_output_of_a_correcting_generator_is_told_to_have_the_known_pixels(correct, texture, told):
    params = inpaint.Params(texture=texture)
    said = inpainters.raw_output("flow_fill", params, {"prior": {}, "decoder": {"correct": correct}})
    assert ("known pixels plus a correction" in said) is told and bool(said) is told


def test_a_method_that_says_nothing_of_its_raw_output_is_told_nothing_of():
    assert inpainters.raw_output("classical", inpaint.Params(), {}) == ""
