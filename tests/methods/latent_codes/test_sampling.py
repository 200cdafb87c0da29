"""The whole method as an inpainter: nothing leaks, seeds rule, batches do not matter, variants differ."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from stages.contract import Inpainter, Request, UserError
from stages.images.pixels import to_uint8
from stages.methods.latent_codes import inpaint
from stages.methods.latent_codes.blocks.token_mask import enlarge, half_known
from tests.methods.conftest import PlainTools, mean_square
from tests.methods.latent_codes.conftest import make_inpainter, make_part, release


@pytest.fixture
def request_of(batch_of):
    def make(images: int = 4, samples: int = 2, k: int = 1) -> Request:
        batch = batch_of(k, images)
        return Request(batch.image_BCHW, batch.known_B1HW, torch.arange(images * samples).view(images, samples))

    return make


@pytest.fixture(scope="module")
def lively(family):
    """The family with a prior whose logits are far from even, so that codes depend on what is visible."""
    generator = torch.Generator().manual_seed(0)
    tensors = {
        key: value + 0.3 * torch.randn(value.shape, generator=generator) if value.is_floating_point() else value
        for key, value in family["prior"].tensors.items()
    }
    prior = family["prior"]
    return {**family, "prior": type(prior)(prior.params, prior.spec, tensors)}


def with_part(family, name, **changes):
    part = make_part(name, family, PlainTools(mean_square), **changes)
    return {**family, name: release(name, part, **changes)}


LEAKS = [
    ("encoder", {}),
    ("encoder", {"kind": "vanilla", "mask_input": True}),
    ("encoder", {"strict": False, "mask_input": True}),
    ("encoder", {"kind": "vq"}),
    ("decoder", {"encoder": "concat"}),
    ("decoder", {"refinement": True}),
    ("decoder", {"generator": "own"}),
]


@pytest.mark.parametrize(("name", "changes"), LEAKS)
@pytest.mark.parametrize("content", [9.0, float("nan")])
def test_what_the_hole_holds_cannot_reach_anything(lively, request_of, name, changes, content):
    """Bitwise: logits, token mask, codes and pictures, in every variant that a user can ask for."""
    inpainter, request = make_inpainter(with_part(lively, name, **changes)), request_of()
    filled = torch.where(request.known_B1HW > 0, request.image_BCHW, torch.full((), content))
    other = Request(filled, request.known_B1HW, request.seeds_BK)
    assert torch.equal(*(inpainter.encoder(r.image_BCHW, r.known_B1HW) for r in (request, other)))
    first, second = inpainter.sample(request), inpainter.sample(other)
    assert torch.equal(first.raw_BKCHW, second.raw_BKCHW)
    assert all(torch.equal(first.side[key], second.side[key]) for key in first.side)


def test_no_gradient_reaches_the_hole(lively, request_of):
    inpainter, request = make_inpainter(lively), request_of()
    image_BCHW = request.image_BCHW.clone().requires_grad_()
    outside = (request.known_B1HW == 0).expand_as(image_BCHW)
    for value in (
        inpainter.encoder(image_BCHW, request.known_B1HW),
        inpainter.decoder.features(image_BCHW, request.known_B1HW),
    ):
        (slope_BCHW,) = torch.autograd.grad(value.square().sum(), image_BCHW)
        assert not slope_BCHW[outside].any()
        assert slope_BCHW[~outside].any()


@pytest.mark.parametrize("window", ["kernel", "stride"])
@pytest.mark.parametrize("alpha", [0.25, 0.5, 1.0])
def test_the_token_mask_is_what_the_restrictive_encoder_ends_with(family, request_of, alpha, window):
    rule = {"alpha": alpha, "window": window}
    part, request = make_part("encoder", family, PlainTools(), token_mask=rule), request_of(8)
    ended = part.model.encoder(request.image_BCHW, request.known_B1HW)[1]
    assert torch.equal(part.model.cells(request.known_B1HW), ended)
    assert part.model.cells(torch.ones(1, 1, 32, 32)).all()
    assert not part.model.cells(torch.zeros(1, 1, 32, 32)).any()


def test_one_seed_repeats_and_two_differ(lively, request_of):
    inpainter, request = make_inpainter(lively), request_of(2, 3)
    assert isinstance(inpainter, Inpainter)
    first, again = inpainter.sample(request), inpainter.sample(request)
    assert torch.equal(first.raw_BKCHW, again.raw_BKCHW)
    assert not torch.equal(first.raw_BKCHW[:, 0], first.raw_BKCHW[:, 1])
    assert first.raw_BKCHW.abs().max() <= 1
    assert first.side.keys() == {"token_mask", "codes", *(f"alpha-{alpha:03d}" for alpha in inpaint.ALPHAS)}
    assert first.seconds.keys() == {"encode", "tokens", "decode"}


def test_a_higher_alpha_leaves_more_tokens_to_be_drawn(lively, request_of):
    """Fig. 3: each mask is in the one before, and the mask of the rule's own alpha is the token mask."""
    side = make_inpainter(lively).sample(request_of(4, 1)).side
    masks = [side[f"alpha-{alpha:03d}"] for alpha in inpaint.ALPHAS]
    assert all((later <= earlier).all() for earlier, later in pairwise(masks))
    assert torch.equal(side["alpha-050"], side["token_mask"]) and not torch.equal(masks[0], masks[-1])


@pytest.mark.parametrize("changes", [{}, {"confidence": "maskgit"}, {"decoding": "vanilla"}])
def test_a_sample_is_the_same_in_a_batch_of_one_and_of_eight(lively, request_of, changes):
    """Mixed masks in one batch: the same codes, and the same picture to one grey level, as each image alone."""
    inpainter, request = make_inpainter(lively, **changes), request_of(8, 2)
    request.known_B1HW[3] = 1
    request.known_B1HW[5] = 0
    cells_B1HW = inpainter.encoder.cells(request.known_B1HW)
    codes_BHW = inpainter.encoder(request.image_BCHW, request.known_B1HW).argmax(1)
    drawn_BKHW = inpainter._draw(codes_BHW, cells_B1HW, request.seeds_BK)
    together = inpainter.sample(request).raw_BKCHW
    for b in range(8):
        one = slice(b, b + 1)
        alone = Request(request.image_BCHW[one], request.known_B1HW[one], request.seeds_BK[one])
        codes_1HW = inpainter.encoder(alone.image_BCHW, alone.known_B1HW).argmax(1)
        assert torch.equal(inpainter._draw(codes_1HW, cells_B1HW[one], alone.seeds_BK)[0], drawn_BKHW[b])
        levels = [to_uint8(x.flatten(0, 1)).int() for x in (inpainter.sample(alone).raw_BKCHW, together[one])]
        assert (levels[0] - levels[1]).abs().max() <= 1


VARIANTS = [
    {"temperature": 0.1},
    {"annealing": 0.1},
    {"steps": 2},
    {"confidence": "maskgit"},
    {"deterministic": True},
    {"doubted": 1.0},
    {"decoding": "vanilla"},
]


@pytest.mark.parametrize("changes", VARIANTS)
def test_every_variant_of_sampling_differs(lively, request_of, changes):
    request = request_of()
    plain, other = (make_inpainter(lively, **c).sample(request).raw_BKCHW for c in ({}, changes))
    assert not torch.equal(plain, other)
    if "deterministic" in changes:
        assert torch.equal(other[:, 0], other[:, 1])


def test_diversity_rises_with_the_temperature(lively, request_of):
    request = request_of(4, 6)
    spread = [
        make_inpainter(lively, temperature=t).sample(request).raw_BKCHW.std(1).mean().item() for t in (0.05, 0.3, 2.0)
    ]
    assert spread[0] < spread[1] < spread[2]


TRAINED = [
    ("encoder", {"kind": "vanilla"}),
    ("encoder", {"kind": "vanilla", "mask_input": True}),
    ("encoder", {"strict": False, "mask_input": True}),
    ("encoder", {"normalisation": "group"}),
    ("encoder", {"kind": "vq"}),
    ("prior", {"input": "embedding"}),
    ("decoder", {"encoder": "concat"}),
    ("decoder", {"refinement": True}),
]


@pytest.mark.parametrize(("name", "changes"), TRAINED)
def test_every_variant_of_training_samples_and_differs(lively, request_of, name, changes):
    request = request_of()
    plain = make_inpainter(lively).sample(request).raw_BKCHW
    other = make_inpainter(with_part(lively, name, **changes)).sample(request).raw_BKCHW
    assert other.isfinite().all()
    assert not torch.equal(plain, other)


def test_the_miracle_says_that_it_needs_the_whole_image(lively, request_of):
    inpainter, request = make_inpainter(with_part(lively, "encoder", kind="miracle")), request_of()
    assert inpainter.whole_image
    assert not make_inpainter(lively).whole_image
    other = Request(request.image_BCHW * request.known_B1HW, request.known_B1HW, request.seeds_BK)
    assert not torch.equal(*(inpainter.encoder(r.image_BCHW, r.known_B1HW) for r in (request, other)))


def test_another_token_mask_than_the_encoders_is_refused(lively):
    with pytest.raises(UserError, match="train it anew"):
        make_inpainter(lively, token_mask={"alpha": 0.75})


def test_the_prior_reads_visible_tokens_alone(lively):
    """The gradient of a prediction reaches the embeddings of visible tokens and of none other."""
    prior = make_inpainter(lively).prior
    codes_BN, visible_BN = torch.randint(16, (1, 64)), torch.rand(1, 64) > 0.5
    prior.codebook_KD.requires_grad_()
    hidden = int((~visible_BN[0]).nonzero()[0])
    (slope_KD,) = torch.autograd.grad(prior(codes_BN, visible_BN)[0, hidden].square().sum(), prior.codebook_KD)
    shown = torch.zeros(16, dtype=torch.bool).index_fill(0, codes_BN[visible_BN], True)
    assert torch.equal(slope_KD.abs().sum(1) > 0, shown)
    other_BN = torch.where(visible_BN, codes_BN, 15 - codes_BN)
    assert torch.equal(prior(codes_BN, visible_BN), prior(other_BN, visible_BN))


def test_doubted_guesses_of_mostly_hidden_cells_are_left_to_the_prior(lively, request_of):
    """At 1 all of them, at 0 none; in between, those whose likeliest code has a smaller chance."""
    request, plain = request_of(8), make_inpainter(lively)
    cells_B1HW = plain.encoder.cells(request.known_B1HW)
    logits_BKHW = plain.encoder(request.image_BCHW, request.known_B1HW)
    mostly_B1HW = half_known(request.known_B1HW, 64).view_as(cells_B1HW)
    chance_B1HW = logits_BKHW.softmax(1).amax(1, keepdim=True)
    middle = chance_B1HW[~mostly_B1HW & (cells_B1HW > 0)].median().item()
    for doubted in (0.0, middle, 1.0):
        side = make_inpainter(lively, doubted=doubted).sample(request).side
        want_B1HW = (cells_B1HW > 0) & (mostly_B1HW | (chance_B1HW >= doubted))
        assert torch.equal(side["token_mask"], enlarge(want_B1HW, 32))
        assert (int(want_B1HW.sum()) < int(cells_B1HW.sum())) == (doubted > 0)
