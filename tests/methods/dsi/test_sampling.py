"""The prior is causal, and structures drawn through its caches are the forward pass's own (paper 001, Sec. 3.2)."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from stages.contract import UserError
from stages.methods.dsi.blocks.autoencoder import Sizes as CodeSizes
from stages.methods.dsi.blocks.structure import Sizes, StructureNet
from stages.methods.dsi.sampling.sampler import Rule, StructureSampler
from stages.nets.seeded import exponential, generators

SMALL = Sizes(
    hidden=8, layers=4, attentions=2, heads=2, key_width=4, value_width=4, output_layers=2, condition_width=4,
    condition_dilations=(1, 2), stem=2,
)  # fmt: skip
CODES = CodeSizes(codes=16, channels=8)


def structure_net(sizes: Sizes = SMALL, codes: CodeSizes = CODES) -> StructureNet:
    """An untrained net whose logits hang on all that it sees: its layers moved away from the identity."""
    torch.manual_seed(0)
    net = StructureNet(sizes, codes).eval().requires_grad_(False)
    net.codebook_KD.normal_()
    for name, parameter in net.named_parameters():
        if name.endswith("original0"):
            parameter.mul_(1.5)
    return net


def condition_of(net: StructureNet, images: int, side: int) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    image_BCHW, known_B1HW = (
        torch.rand(images, 3, 8 * side, 8 * side, generator=generator),
        torch.ones(images, 1, 8 * side, 8 * side),
    )
    known_B1HW[..., 2 * side : -2 * side, 2 * side : -2 * side] = 0
    return net.condition(image_BCHW * 2 - 1, known_B1HW)


class Watched(StructureSampler):
    """Keeps the logits of every position drawn."""

    seen: list[Tensor]

    def _logits(self, x_RnC: Tensor) -> Tensor:
        logits_RnQ = super()._logits(x_RnC)
        self.seen = [*getattr(self, "seen", []), logits_RnQ[:, 0]]
        return logits_RnQ


def through_caches(
    net: StructureNet, condition_BCHW: Tensor, seeds_BK: Tensor, *given: Tensor
) -> tuple[Tensor, Tensor]:
    """(codes_RHW, logits of the positions drawn, (R, Q, drawn))."""
    sampler = Watched(net, condition_BCHW, seeds_BK, Rule())
    codes_RHW = sampler.draw(*given)
    return codes_RHW, torch.stack(sampler.seen, 2)


def test_the_prior_is_causal_and_sees_the_condition():
    """The slope of the logits at i by what stands at j is exactly zero for j >= i, and not for any other j."""
    net, side = structure_net(), 4
    x_BHWD = torch.randn(1, side, side, 9, requires_grad=True)
    net.vectors = lambda codes_BHW: x_BHWD  # type: ignore[method-assign]
    condition_BCHW = torch.randn(1, 16, side, side, requires_grad=True)
    logits_BKN = net.logits(torch.zeros(1, side, side, dtype=torch.int64), condition_BCHW).flatten(2)
    weights_K = torch.randn(16)
    for i in range(side * side):
        slope, told = torch.autograd.grad(weights_K @ logits_BKN[0, :, i], [x_BHWD, condition_BCHW], retain_graph=True)
        felt_N = slope.abs().sum(3).flatten() > 0
        assert not felt_N[i:].any() and felt_N[:i].all()
        assert told.abs().max() > 0


@pytest.mark.parametrize("samples", [1, 3])
def test_cached_logits_are_the_forward_passes(samples):
    net = structure_net()
    condition_BCHW = condition_of(net, 2, 8)
    codes_RHW, logits_RQN = through_caches(net, condition_BCHW, torch.arange(2 * samples).view(2, samples))
    full_RQHW = net.logits(codes_RHW, condition_BCHW.repeat_interleave(samples, 0))
    assert (full_RQHW.flatten(2) - logits_RQN).abs().max() < 1e-5 * full_RQHW.abs().max().clamp(min=1)
    assert full_RQHW.std() > 0.1, "else it proves nothing"


def test_one_step_a_forward_pass_draws_the_same_codes_on_8_x_8():
    net, side = structure_net(), 8
    condition_BCHW, seeds_BK = condition_of(net, 1, side), torch.tensor([[5, 6]])
    codes_RHW = torch.zeros(2, side, side, dtype=torch.int64)
    owners = generators(seeds_BK)
    for row in range(side):
        noise_RWQ = exponential(owners, [side, side], 16).view(2, side, 16)
        for column in range(side):
            logits_RQ = net.logits(codes_RHW, condition_BCHW.repeat_interleave(2, 0))[:, :, row, column]
            codes_RHW[:, row, column] = (logits_RQ - noise_RWQ[:, column].log()).argmax(1)
    assert torch.equal(through_caches(net, condition_BCHW, seeds_BK)[0], codes_RHW)


def test_at_the_papers_size_the_caches_give_the_forward_passes_logits_and_codes():
    """32 x 32 positions, 20 + 20 + 20 layers, 4 attentions: logits to 1e-5, and with the same noise the same codes."""
    sizes = Sizes()
    assert (sizes.layers, sizes.output_layers, sizes.attentions, sizes.hidden) == (20, 20, 4, 128)
    net = structure_net(sizes, CodeSizes())
    condition_BCHW, seeds_BK = condition_of(net, 1, 32), torch.tensor([[9]])
    codes_RHW, logits_RQN = through_caches(net, condition_BCHW, seeds_BK)
    full_RQN = net.logits(codes_RHW, condition_BCHW).flatten(2)
    assert (full_RQN - logits_RQN).abs().max() < 1e-5 * full_RQN.abs().max().clamp(min=1)
    owners = generators(seeds_BK)
    noise_NQ = torch.cat([exponential(owners, [32], 512) for _ in range(32)])
    assert torch.equal((full_RQN[0].T - noise_NQ.log()).argmax(1), codes_RHW.flatten())


def test_known_positions_keep_their_codes_and_the_others_are_drawn_after_them():
    net, side = structure_net(), 8
    condition_BCHW = condition_of(net, 2, side)
    generator = torch.Generator().manual_seed(3)
    known_BHW = torch.rand(2, side, side, generator=generator) < 0.6
    known_BHW[:, :3] = True  # rows that go through in one call
    given_BHW = torch.randint(16, (2, side, side), generator=generator)
    sampler = Watched(net, condition_BCHW, torch.arange(4).view(2, 2), Rule())
    codes_RHW = sampler.draw(known_BHW, given_BHW)
    known_RHW, given_RHW = (x.repeat_interleave(2, 0) for x in (known_BHW, given_BHW))
    assert torch.equal(codes_RHW[known_RHW], given_RHW[known_RHW])
    full_RQN = net.logits(codes_RHW, condition_BCHW.repeat_interleave(2, 0)).flatten(2)
    drawn = [n for n in range(side * side) if not known_BHW.flatten(1)[:, n].all()]
    assert (full_RQN[:, :, drawn] - torch.stack(sampler.seen, 2)).abs().max() < 1e-4
    owners = generators(torch.arange(4))
    noise_RNQ = torch.cat([exponential(owners, [side] * 4, 16).view(4, side, 16) for _ in range(side)], 1)
    expected_RHW = (full_RQN.transpose(1, 2) - noise_RNQ.log()).argmax(2).view_as(codes_RHW)
    assert torch.equal(codes_RHW[~known_RHW], expected_RHW[~known_RHW])


def test_codes_are_drawn_from_the_learnt_distribution():
    """The first position's frequencies over 2,000 samples against its softmax (a chi-square far beyond chance)."""
    net = structure_net()
    condition_BCHW, count = condition_of(net, 1, 2), 2000
    codes_RHW = StructureSampler(net, condition_BCHW, torch.arange(count)[None], Rule()).draw()
    p_Q = net.logits(codes_RHW[:1], condition_BCHW)[0, :, 0, 0].softmax(0)
    found_Q = torch.bincount(codes_RHW[:, 0, 0], minlength=16)
    chi_square = ((found_Q - count * p_Q).square() / (count * p_Q)).sum()
    assert chi_square < 45  # 15 degrees of freedom: p < 1e-4 beyond


@pytest.mark.parametrize(
    ("rule", "kept"), [(Rule(), 5), (Rule(top_k=2), 2), (Rule(top_p=0.6), 2), (Rule(top_p=0.5), 1), (Rule(top_k=9), 5)]
)
def test_rules_keep_the_likeliest_codes(rule, kept):
    p_RQ = torch.tensor([[0.05, 0.5, 0.3, 0.1, 0.05], [0.3, 0.1, 0.5, 0.05, 0.05]])
    logits_RQ = rule.logits(p_RQ.log())
    order_RQ = p_RQ.argsort(descending=True)
    for logits_Q, order_Q in zip(logits_RQ, order_RQ, strict=True):
        assert logits_Q[order_Q[:kept]].isfinite().all() and (logits_Q[order_Q[kept:]] == -torch.inf).all()


def test_temperature_divides_logits():
    logits_RQ = torch.randn(2, 5)
    assert torch.equal(Rule(temperature=0.5).logits(logits_RQ), logits_RQ / 0.5)


@pytest.mark.parametrize(
    ("changes", "words"), [({"attentions": 3}, "is no multiple of attentions"), ({"stem": 3}, "is none of 1, 2, 4, 8")]
)
def test_sizes_that_do_not_fit_are_refused(changes: dict[str, Any], words: str):
    with pytest.raises(UserError, match=words):
        StructureNet(SMALL.model_copy(update=changes), CODES)
