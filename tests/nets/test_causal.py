"""Convolutions and attention that see only what comes before: told by their gradients."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from stages.nets.causal_attention import CausalAttention
from stages.nets.causal_conv import CausalConv2d, concat_elu, left_conv, upper_conv
from stages.nets.gated_residual import GatedResidual

SIDE, ROW, COLUMN = 7, 3, 3


def seen(net: nn.Module, channels: int = 2) -> set[tuple[int, int]]:
    """Places that reach the output at (ROW, COLUMN), as (row, column) relative to it."""
    torch.manual_seed(0)
    x_BCHW = torch.randn(1, channels, SIDE, SIDE, requires_grad=True)
    (slope_BCHW,) = torch.autograd.grad(net(x_BCHW)[0, :, ROW, COLUMN].square().sum(), x_BCHW)
    places = slope_BCHW.abs().sum((0, 1)).nonzero().tolist()
    return {(row - ROW, column - COLUMN) for row, column in places}


def box(rows: range, columns: range) -> set[tuple[int, int]]:
    return {(row, column) for row in rows for column in columns}


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: upper_conv(2, 3), box(range(-1, 1), range(-1, 2))),
        (lambda: left_conv(2, 3), box(range(-1, 1), range(-1, 1))),
        (lambda: CausalConv2d(2, 3, (2, 3), centred=True, above=1), box(range(-2, 0), range(-1, 2))),
        (lambda: CausalConv2d(2, 3, (1, 3), centred=True, above=1), box(range(-1, 0), range(-1, 2))),
        (lambda: CausalConv2d(2, 3, (2, 1), left=1), box(range(-1, 1), range(-1, 0))),
    ],
)
def test_a_causal_convolution_sees_its_window_and_keeps_the_size(make: Callable[[], nn.Module], expected):
    net = make()
    assert net(torch.zeros(1, 2, SIDE, SIDE)).shape == (1, 3, SIDE, SIDE)
    assert seen(net) == expected


def test_attention_sees_strictly_earlier_positions_and_the_first_gets_nothing():
    torch.manual_seed(0)
    net = CausalAttention(4, heads=2, key_width=3, value_width=5)
    x_BCHW = torch.randn(1, 4, 3, 4, requires_grad=True)
    brought_BCN = (net(x_BCHW) - x_BCHW).flatten(2)
    for n in range(12):
        (slope_BCHW,) = torch.autograd.grad(brought_BCN[0, :, n].square().sum(), x_BCHW, retain_graph=True)
        felt_N = slope_BCHW.abs().sum((0, 1)).flatten() > 0
        if n == 0:  # what it adds there is the last layer's bias
            assert not felt_N.any() and torch.allclose(brought_BCN[0, :, 0], net.to_out.bias, atol=1e-6)
        else:
            assert felt_N[:n].all() and not felt_N[n + 1 :].any()


def test_attention_is_the_softmax_over_keys_before():
    torch.manual_seed(1)
    net = CausalAttention(4, heads=2, key_width=3, value_width=5)
    x_BCHW = torch.randn(2, 4, 2, 3)
    q, k, v = net.split(net.to_qkv(x_BCHW).flatten(2).transpose(1, 2))
    out_BNC = torch.zeros(2, 6, 10)
    for b in range(2):
        for n in range(1, 6):
            for head in range(2):
                weights = (k[b, head, :n] @ q[b, head, n] / 3**0.5).softmax(0)
                out_BNC[b, n, head * 5 : head * 5 + 5] = weights @ v[b, head, :n]
    expected = x_BCHW + net.to_out(out_BNC.transpose(1, 2).unflatten(2, (2, 3)))
    torch.testing.assert_close(net(x_BCHW), expected)


def test_concat_elu_loses_no_direction():
    x = torch.tensor([[-2.0, 3.0]])
    expected = torch.tensor([[torch.e**-2 - 1, 3.0, 2.0, torch.e**-3 - 1]])
    torch.testing.assert_close(concat_elu(x), expected)


def test_a_gated_residual_layer_is_its_equation_and_begins_near_the_identity():
    torch.manual_seed(0)
    net = GatedResidual(4, upper_conv, beside=3, condition=2).eval()
    x, beside, told = torch.randn(1, 4, 5, 5), torch.randn(1, 3, 5, 5), torch.randn(1, 4, 5, 5)

    def by_hand() -> Tensor:
        assert net.beside is not None and net.condition is not None
        inner = net.first(concat_elu(x)) + net.beside(concat_elu(beside))
        a, b = (net.second(concat_elu(inner)) + net.condition(told)).chunk(2, 1)
        return x + a * b.sigmoid()

    torch.testing.assert_close(net(x, beside, told), by_hand())
    assert (net(x, beside, told) - x).abs().mean() < 0.2 * x.abs().mean()
