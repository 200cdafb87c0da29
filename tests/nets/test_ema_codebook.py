"""The codebook that follows its features: its definition, step by step."""

from __future__ import annotations

import torch
from torch import Tensor

from stages.nets.ema_codebook import EmaCodebook

DECAY, EPSILON, CODES, CHANNELS = 0.9, 1e-2, 6, 3


def codebook() -> EmaCodebook:
    torch.manual_seed(0)
    return EmaCodebook(CODES, CHANNELS, DECAY, EPSILON)


def by_definition(counts: Tensor, sums: Tensor, z: Tensor, codes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(N, m, e) of one step, code by code."""
    counts, sums = counts.clone(), sums.clone()
    for k in range(CODES):
        mine = [z[i] for i in range(len(z)) if codes[i] == k]
        counts[k] = DECAY * counts[k] + (1 - DECAY) * len(mine)
        sums[k] = DECAY * sums[k] + (1 - DECAY) * sum(mine, torch.zeros(CHANNELS))
    total = counts.sum()
    vectors = [sums[k] / ((counts[k] + EPSILON) / (total + CODES * EPSILON) * total) for k in range(CODES)]
    return counts, sums, torch.stack(vectors)


def test_it_is_the_smoothed_moving_average_of_its_features():
    net = codebook()
    assert torch.equal(net.sums_KD, net.codebook_KD) and torch.equal(net.counts_K, torch.ones(CODES))
    for step in range(4):
        z_BDHW = torch.randn(2, CHANNELS, 2, 2, generator=torch.Generator().manual_seed(step))
        codes_BHW = net.nearest(z_BDHW)
        flat = z_BDHW.permute(0, 2, 3, 1).reshape(-1, CHANNELS)
        expected = by_definition(net.counts_K, net.sums_KD, flat, codes_BHW.flatten())
        net.follow(z_BDHW, codes_BHW)
        for found, wanted in zip((net.counts_K, net.sums_KD, net.codebook_KD), expected, strict=True):
            torch.testing.assert_close(found, wanted)


def test_a_code_comes_to_the_mean_of_what_it_is_chosen_for():
    net = codebook()
    z_BDHW = torch.ones(1, CHANNELS, 4, 4) * torch.tensor([2.0, -1.0, 0.5]).view(1, 3, 1, 1)
    chosen = net.nearest(z_BDHW)
    for _ in range(200):
        net.follow(z_BDHW, chosen)
    assert (net.codebook_KD[chosen[0, 0, 0]] - z_BDHW[0, :, 0, 0]).abs().max() < 0.02  # smoothing takes the rest


def test_a_code_that_nobody_chooses_stays_where_it_is():
    torch.manual_seed(0)
    net = EmaCodebook(CODES, CHANNELS, DECAY, epsilon=1e-5)
    z_BDHW = net.codebook_KD[:1].clone().view(1, CHANNELS, 1, 1)
    before_KD = net.codebook_KD.clone()
    for _ in range(20):
        net.follow(z_BDHW, torch.zeros(1, 1, 1, dtype=torch.int64))
    assert (net.codebook_KD[1:] - before_KD[1:]).abs().max() < 1e-3


def test_nothing_is_a_parameter_and_features_feel_the_commitment_alone():
    net, z_BDHW = codebook(), torch.randn(2, CHANNELS, 2, 2, requires_grad=True)
    got = net(z_BDHW)
    assert not list(net.parameters()) and not got.codebook.requires_grad
    weights_BDHW = torch.randn_like(z_BDHW)
    (slope_BDHW,) = torch.autograd.grad((got.z_BDHW * weights_BDHW).sum(), z_BDHW, retain_graph=True)
    torch.testing.assert_close(slope_BDHW, weights_BDHW)
    torch.testing.assert_close(got.commitment, (z_BDHW - net.look_up(got.codes_BHW)).square().mean())


def test_an_idle_code_is_put_on_a_feature_as_one_member():
    net = codebook()
    net.codebook_KD[0] = 1e3
    net.sums_KD[0], net.counts_K[0] = 5.0, 1e-9
    z_BDHW = torch.randn(1, CHANNELS, 2, 2)
    for _ in range(2):
        net.restart(z_BDHW, net.nearest(z_BDHW), 2, torch.Generator().manual_seed(0))
    flat = z_BDHW.permute(0, 2, 3, 1).reshape(-1, CHANNELS)
    assert any(torch.equal(net.codebook_KD[0], vector) for vector in flat)
    assert torch.equal(net.sums_KD[0], net.codebook_KD[0]) and net.counts_K[0] == 1
