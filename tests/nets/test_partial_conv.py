"""Equations 1-4 of paper 000, against a direct computation window by window."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor

from stages.nets.partial_conv import PartialConv2d, PlainConv2d, RestrictiveConv2d, padding_of, restrict


def scene(seed: int = 0, side: int = 8) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return (
        torch.randn(2, 3, side, side, generator=generator),
        (torch.rand(2, 1, side, side, generator=generator) > 0.5).float(),
    )


def by_window(conv, x_BCHW: Tensor, known_B1HW: Tensor, share: float | None, border: str, block: int = 0):
    """x' and M' one output at a time. share None: equation 1-2; else 3-4 with alpha = share.

    `block` > 0 takes the share on the block of block x block pixels that begins at the window's centre pixel's block.
    """
    kernel, stride, padding = conv.kernel_size[0], conv.stride[0], conv.padding[0]
    side = (x_BCHW.shape[2] + 2 * padding - kernel) // stride + 1
    out, mask = torch.zeros(len(x_BCHW), conv.out_channels, side, side), torch.zeros(len(x_BCHW), 1, side, side)
    for b, i, j in itertools.product(range(len(x_BCHW)), range(side), range(side)):
        total, seen, inside = torch.zeros(conv.out_channels, dtype=torch.float64), 0.0, 0
        for u, v in itertools.product(range(kernel), range(kernel)):
            row, column = i * stride - padding + u, j * stride - padding + v
            if 0 <= row < x_BCHW.shape[2] and 0 <= column < x_BCHW.shape[3]:
                inside += 1
                m = known_B1HW[b, 0, row, column].double()
                total += conv.weight[:, :, u, v].double() @ (x_BCHW[b, :, row, column].double() * m)
                seen += float(m)
        ratio = seen / inside
        if block:
            ratio = float(known_B1HW[b, 0, i * block : (i + 1) * block, j * block : (j + 1) * block].mean())
        if seen > 0 and (share is None or ratio >= share):
            full = kernel**2 if border == "hole" else inside
            out[b, :, i, j] = (total * full / seen + conv.bias.double()).float()
            mask[b, 0, i, j] = 1
    return out, mask


GEOMETRY = [(3, 1), (3, 2), (1, 1), (2, 2), (4, 4), (5, 1)]


@pytest.mark.parametrize("border", ["outside", "hole"])
@pytest.mark.parametrize(("kernel", "stride"), GEOMETRY)
def test_partial_convolution_is_equations_1_and_2(kernel, stride, border):
    torch.manual_seed(kernel)
    layer, (x_BCHW, known_B1HW) = PartialConv2d(3, 4, kernel, stride, border), scene()
    known_B1HW[0, :, :6, :6] = 0  # windows that see nothing
    got, live = layer(x_BCHW, known_B1HW)
    want, mask = by_window(layer.conv, x_BCHW, known_B1HW, None, border)
    torch.testing.assert_close(got, want, atol=1e-5, rtol=1e-5)
    assert torch.equal(live, mask)


@pytest.mark.parametrize("alpha", [0.0, 0.25, 0.5, 0.75, 1.0])
@pytest.mark.parametrize(("kernel", "stride"), GEOMETRY)
def test_restrictive_convolution_is_equations_3_and_4(kernel, stride, alpha):
    torch.manual_seed(kernel)
    layer, (x_BCHW, known_B1HW) = RestrictiveConv2d(3, 4, kernel, stride, alpha=alpha), scene(1)
    got, after = layer(x_BCHW, known_B1HW)
    want, mask = by_window(layer.conv, x_BCHW, known_B1HW, alpha if kernel > 1 else None, "outside")
    torch.testing.assert_close(got, want, atol=1e-5, rtol=1e-5)
    assert torch.equal(after, mask if stride > 1 else known_B1HW)


@pytest.mark.parametrize("alpha", [0.25, 0.5, 0.75, 1.0])
def test_the_released_window_is_the_block_that_an_output_stands_for(alpha):
    layer, (x_BCHW, known_B1HW) = RestrictiveConv2d(3, 4, 3, 2, alpha=alpha, window="stride"), scene(2)
    got, after = layer(x_BCHW, known_B1HW)
    want, mask = by_window(layer.conv, x_BCHW, known_B1HW, alpha, "outside", block=2)
    torch.testing.assert_close(got, want, atol=1e-5, rtol=1e-5)
    assert torch.equal(after, mask)
    keep = RestrictiveConv2d(3, 4, 3, 1, alpha=alpha, window="stride")
    y_BCHW, same = keep(x_BCHW, known_B1HW)
    assert torch.equal(same, known_B1HW)
    assert not y_BCHW[(known_B1HW == 0).expand_as(y_BCHW)].any()


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
@pytest.mark.parametrize(("kernel", "stride"), GEOMETRY)
def test_a_wholly_known_image_makes_an_ordinary_convolution(kernel, stride, alpha):
    (x_BCHW, known_B1HW), plain = scene(3), PlainConv2d(3, 4, kernel, stride)
    known_B1HW = torch.ones_like(known_B1HW)
    want, _ = plain(x_BCHW, None)
    for layer in (PartialConv2d(3, 4, kernel, stride), RestrictiveConv2d(3, 4, kernel, stride, alpha=alpha)):
        layer.load_state_dict(plain.state_dict())
        got, after = layer(x_BCHW, known_B1HW)
        torch.testing.assert_close(got, want, atol=1e-6, rtol=1e-6)
        assert after.all()


def test_what_is_hidden_cannot_be_told_from_the_output_or_its_gradient():
    x_BCHW, known_B1HW = scene(4)
    other_BCHW = torch.where(known_B1HW > 0, x_BCHW, 1e4 * torch.randn_like(x_BCHW))
    for layer in (PartialConv2d(3, 4, 3), RestrictiveConv2d(3, 4, 3, alpha=0.25)):
        assert torch.equal(layer(x_BCHW, known_B1HW)[0], layer(other_BCHW, known_B1HW)[0])
        x_BCHW = x_BCHW.detach().requires_grad_()
        (slope_BCHW,) = torch.autograd.grad(layer(x_BCHW, known_B1HW)[0].sum(), x_BCHW)
        assert not slope_BCHW[(known_B1HW == 0).expand_as(slope_BCHW)].any()


def test_a_smaller_alpha_keeps_more():
    known_B1HW = scene(5, 32)[1]
    kept = [restrict(known_B1HW, 3, 2, alpha, "kernel") for alpha in (0.25, 0.5, 0.75, 1.0)]
    for more, fewer in itertools.pairwise(kept):
        assert (more >= fewer).all()
        assert more.sum() > fewer.sum()


def test_the_released_layer_scales_its_bias_and_lets_masked_features_in():
    x_BCHW, known_B1HW = scene(6)
    layer = RestrictiveConv2d(3, 4, 3, alpha=0.5, window="stride", border="hole", strict=False)
    got, _ = layer(x_BCHW, known_B1HW)
    padded = torch.nn.functional.conv2d(known_B1HW, torch.ones(1, 1, 3, 3), padding=1)
    torch.testing.assert_close(got, layer.conv(x_BCHW) * 9 / padded.clamp(min=1) * known_B1HW)
    other_BCHW = torch.where(known_B1HW > 0, x_BCHW, x_BCHW + 1)
    assert not torch.equal(got, layer(other_BCHW, known_B1HW)[0])


def test_padding_keeps_the_size_or_tiles_it():
    assert [padding_of(kernel, stride) for kernel, stride in GEOMETRY] == [1, 1, 0, 0, 0, 2]
