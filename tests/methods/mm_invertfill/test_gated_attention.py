"""Gated mask-aware attention is its equation, patch by patch (paper 002, eq. 3)."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from stages.methods.mm_invertfill.blocks.attention import PatchAttention, attend, from_patches, to_patches
from tests.methods.mm_invertfill.encoders import CLOSED, random, set_to


@pytest.fixture(autouse=True)
def weights() -> None:
    torch.manual_seed(0)


def test_patches_are_put_back_where_they_were():
    x_BCHW = random(2, 3, 12, 12)
    for patch in (2, 4):
        patches_BNd = to_patches(x_BCHW, patch)
        assert torch.equal(from_patches(patches_BNd, patch, 12 // patch), x_BCHW)
        assert torch.equal(patches_BNd[:, 1].view(2, 3, patch, patch), x_BCHW[:, :, :patch, patch : 2 * patch])


def test_gated_attention_is_equation_3():
    q_BNd, k_BNd, v_BNd, logit_BN = (
        random(2, 6, 8),
        random(2, 6, 8, seed=1),
        random(2, 6, 8, seed=2),
        random(2, 6, seed=3),
    )
    score_BMN = (q_BNd @ k_BNd.transpose(1, 2) / 8**0.5).softmax(2) * torch.sigmoid(logit_BN)[:, None]
    expected = score_BMN / score_BMN.sum(2, keepdim=True) @ v_BNd
    assert torch.allclose(attend(q_BNd, k_BNd, v_BNd, logit_BN), expected, atol=1e-5)
    ones = torch.ones_like(v_BNd)
    assert torch.allclose(attend(q_BNd, k_BNd, ones, logit_BN), ones)


def test_gates_that_are_all_closed_alike_are_none():
    q_BNd, k_BNd, v_BNd = random(2, 6, 8), random(2, 6, 8, seed=1), random(2, 6, 8, seed=2)
    closed = attend(q_BNd, k_BNd, v_BNd, torch.full((2, 6), -200.0))
    assert torch.allclose(closed, attend(q_BNd, k_BNd, v_BNd, None), atol=1e-4)


def test_a_closed_gate_lets_nothing_of_its_patch_to_any_other():
    q_BNd, k_BNd, v_BNd = (random(1, 6, 8, seed=seed).requires_grad_() for seed in range(3))
    logit_BN = torch.zeros(1, 6)
    logit_BN[0, 2] = CLOSED
    attend(q_BNd, k_BNd, v_BNd, logit_BN).square().sum().backward()
    for part in (k_BNd, v_BNd):
        assert not part.grad[0, 2].any() and part.grad[0, 3].any()


def unfused(x_BCHW: Tensor, aux_BAHW: Tensor) -> Tensor:
    return x_BCHW


def test_without_gates_each_head_is_standard_attention_of_its_patches():
    attention, x_BCHW = PatchAttention(6, (2, 4), gated=False), random(2, 6, 8, 8)
    found = attention(x_BCHW, random(2, 0, 8, 8), torch.ones(2, 1, 8, 8), unfused)
    for head, patch in enumerate((2, 4)):
        channels = slice(3 * head, 3 * head + 3)
        parts = [embed(x_BCHW)[:, channels] for embed in attention.to_qkv]
        q, k, v = (F.unfold(part, patch, stride=patch).transpose(1, 2) for part in parts)
        mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2)
        assert torch.allclose(found[:, channels], F.fold(mixed, 8, patch, stride=patch), atol=1e-5)


def test_a_patch_whose_gate_the_mask_closes_reaches_no_other():
    """The gates made to read the mask alone: then nothing in the hole's patches reaches the known ones."""
    attention, known_B1HW = PatchAttention(6, (2, 4), gated=True), torch.ones(1, 1, 8, 8)
    known_B1HW[:, :, :4, 4:] = 0
    for gate in attention.gates:
        set_to(gate, 0, CLOSED)
        gate.weight.data[:, -1] = -CLOSED
    x_BCHW = random(1, 6, 8, 8).requires_grad_()
    found = attention(x_BCHW, random(1, 0, 8, 8), known_B1HW, unfused)
    slope = torch.autograd.grad((found * known_B1HW).square().sum(), x_BCHW)[0]
    assert not slope[:, :, :4, 4:].any() and slope[:, :, :4, :4].any()


def test_the_gate_reads_the_mask_and_plain_attention_does_not():
    x_BCHW, aux_BAHW, known_B1HW = random(1, 6, 8, 8), random(1, 0, 8, 8), torch.ones(1, 1, 8, 8)
    known_B1HW[:, :, :4] = 0
    for gated in (True, False):
        attention = PatchAttention(6, (2, 4), gated)
        seen = [attention(x_BCHW, aux_BAHW, mask, unfused) for mask in (known_B1HW, torch.ones_like(known_B1HW))]
        assert torch.equal(*seen) is not gated
