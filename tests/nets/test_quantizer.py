"""The codebook: nearest codes, the straight-through gradient, dead codes."""

from __future__ import annotations

import pytest
import torch

from stages.nets.quantizer import Quantizer


def quantizer(normalised: bool = False) -> Quantizer:
    torch.manual_seed(0)
    net = Quantizer(16, 4, normalised)
    torch.nn.init.normal_(net.codebook_KD)
    return net


@pytest.mark.parametrize("normalised", [False, True])
def test_every_vector_gets_its_nearest_code(normalised):
    net, z_BDHW = quantizer(normalised), torch.randn(2, 4, 3, 3)
    got = net(z_BDHW)
    for b, i, j in torch.cartesian_prod(torch.arange(2), torch.arange(3), torch.arange(3)).tolist():
        vector = torch.nn.functional.normalize(z_BDHW[b, :, i, j], dim=0) if normalised else z_BDHW[b, :, i, j]
        best = min(range(16), key=lambda k: float((net.vectors().detach()[k] - vector).square().sum()))
        assert got.codes_BHW[b, i, j] == best
        torch.testing.assert_close(got.z_BDHW[b, :, i, j], net.vectors()[best])
    assert torch.equal(net.look_up(got.codes_BHW), net.look_up(net.nearest(z_BDHW)))


def test_the_gradient_goes_straight_through():
    net, z_BDHW = quantizer(), torch.randn(2, 4, 3, 3, requires_grad=True)
    weight_BDHW = torch.randn(2, 4, 3, 3)
    (slope_BDHW,) = torch.autograd.grad((net(z_BDHW).z_BDHW * weight_BDHW).sum(), z_BDHW)
    torch.testing.assert_close(slope_BDHW, weight_BDHW)


def test_commitment_moves_features_and_the_codebook_term_moves_codes():
    net, z_BDHW = quantizer(), torch.randn(2, 4, 3, 3, requires_grad=True)
    got = net(z_BDHW)
    assert torch.autograd.grad(got.commitment, [z_BDHW, net.codebook_KD], allow_unused=True)[1] is None
    got = net(z_BDHW)
    assert torch.autograd.grad(got.codebook, [z_BDHW, net.codebook_KD], allow_unused=True)[0] is None
    torch.testing.assert_close(got.commitment, got.codebook)


def test_restart_moves_only_codes_that_lay_idle_and_always_to_the_same_place():
    def run() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        net = quantizer(True)
        before = net.codebook_KD.detach().clone()
        generator = torch.Generator().manual_seed(3)
        z_BDHW = torch.randn(1, 4, 2, 2, generator=torch.Generator().manual_seed(1))
        for _ in range(3):
            net.restart(z_BDHW, net.nearest(z_BDHW), 3, generator)
        return before, net.codebook_KD.detach().clone(), net.nearest(z_BDHW)

    before, after, codes = run()
    moved = (before != after).any(1)
    used = torch.zeros(16, dtype=torch.bool).index_fill(0, run()[2].flatten(), True)
    assert torch.equal(after, run()[1])
    assert moved.any()
    assert (~moved).any()
    assert codes.shape == used[codes].shape


def test_a_code_is_left_in_peace_until_its_patience_is_over():
    net, z_BDHW = quantizer(), torch.randn(1, 4, 1, 1)
    before, generator = net.codebook_KD.detach().clone(), torch.Generator().manual_seed(0)
    net.restart(z_BDHW, net.nearest(z_BDHW), 2, generator)
    assert torch.equal(net.codebook_KD, before)
    net.restart(z_BDHW, net.nearest(z_BDHW), 2, generator)
    used = int(net.nearest(z_BDHW))
    changed = (net.codebook_KD != before).any(1)
    assert changed.sum() >= 15
    assert net.idle_K[used] == 0
