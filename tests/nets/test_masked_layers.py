"""Normalisation, attention, residual blocks and pyramids look at known positions alone."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import Tensor, nn

from stages.nets.attention import SpatialAttention
from stages.nets.masked_norm import MaskedNorm, Normalisation
from stages.nets.partial_conv import PartialConv2d, PlainConv2d, RestrictiveConv2d
from stages.nets.pyramid import Encoder, Generator, Shape

KINDS = ["layer", "group"]
RESTRICTIVE = partial(RestrictiveConv2d, alpha=0.5)


def scene(seed: int, channels: int = 8, side: int = 8) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    known_B1HW = torch.ones(2, 1, side, side)
    known_B1HW[0, :, 2:, : side // 2] = 0
    known_B1HW[1, :, : side // 2] = 0
    return torch.randn(2, channels, side, side, generator=generator), known_B1HW


def shape(stem: int = 1, kind: str = "layer", masked: bool = True) -> Shape:
    return Shape(16, 8, (1, 2), 1, (8,), stem, Normalisation(kind, masked))


@pytest.mark.parametrize("kind", KINDS)
def test_statistics_are_those_of_the_known_positions(kind):
    (x_BCHW, known_B1HW), norm = scene(0), MaskedNorm(8, Normalisation(kind))
    y_BCHW = norm(x_BCHW, known_B1HW)
    for b in range(2):
        for group in range(norm.groups):
            width = 8 // norm.groups
            part = slice(group * width, (group + 1) * width)
            seen = x_BCHW[b, part][:, known_B1HW[b, 0] > 0]
            want = (seen - seen.mean()) / seen.var(unbiased=False).add(1e-6).sqrt()
            torch.testing.assert_close(y_BCHW[b, part][:, known_B1HW[b, 0] > 0], want, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_full_mask_is_no_mask(kind):
    x_BCHW, known_B1HW = scene(1)
    for layer in (MaskedNorm(8, Normalisation(kind)), SpatialAttention(8, Normalisation(kind))):
        full, none = layer(x_BCHW, torch.ones_like(known_B1HW)), layer(x_BCHW, None)
        torch.testing.assert_close(*(y[0] if isinstance(y, tuple) else y for y in (full, none)), atol=1e-5, rtol=1e-5)


def test_attention_reads_known_keys_and_the_query_alone():
    (x_BCHW, known_B1HW), attention = scene(2), SpatialAttention(8, Normalisation("layer"))
    x_BCHW.requires_grad_()
    y_BCHW, _ = attention(x_BCHW, known_B1HW)
    (slope_BCHW,) = torch.autograd.grad(y_BCHW[1, :, 7, 7].sum(), x_BCHW)
    assert not slope_BCHW[1, :, known_B1HW[1, 0] == 0].any()
    assert slope_BCHW[1, :, known_B1HW[1, 0] > 0].any()


def test_attention_without_a_known_key_is_finite():
    attention = SpatialAttention(8, Normalisation("layer"))
    y_BCHW, _ = attention(torch.randn(1, 8, 4, 4), torch.zeros(1, 1, 4, 4))
    assert y_BCHW.isfinite().all()


@pytest.mark.parametrize("conv", [PartialConv2d, RESTRICTIVE])
@pytest.mark.parametrize("stem", [1, 2])
def test_nothing_of_the_hole_comes_through_an_encoder(conv, stem):
    torch.manual_seed(0)
    encoder, (x_BCHW, known_B1HW) = Encoder(shape(stem), 3, 4, conv), scene(3, 3, 16)
    other_BCHW = torch.where(known_B1HW > 0, x_BCHW, 100 * torch.randn_like(x_BCHW))
    got, after = encoder(x_BCHW, known_B1HW)
    same, _ = encoder(other_BCHW, known_B1HW)
    assert torch.equal(got, same)
    assert after.mean() == 1 if conv is PartialConv2d else 0 < after.mean() < 1  # a partial one fills the hole
    x_BCHW.requires_grad_()
    (slope_BCHW,) = torch.autograd.grad(encoder(x_BCHW, known_B1HW)[0].square().sum(), x_BCHW)
    assert not slope_BCHW[(known_B1HW == 0).expand_as(slope_BCHW)].any()


def test_unmasked_layers_let_the_hole_in_as_released():
    conv = partial(RestrictiveConv2d, alpha=0.5, window="stride", border="hole", strict=False)
    encoder, (x_BCHW, known_B1HW) = Encoder(shape(1, masked=False), 3, 4, conv), scene(4, 3, 16)
    other_BCHW = torch.where(known_B1HW > 0, x_BCHW, 100 * torch.randn_like(x_BCHW))
    assert not torch.equal(encoder(x_BCHW, known_B1HW)[0], encoder(other_BCHW, known_B1HW)[0])


@pytest.mark.parametrize("stem", [1, 2, 4])
def test_encoder_and_generator_scale_by_the_same_factor(stem):
    sizes = shape(stem)
    z_BDHW, known = Encoder(sizes, 3, 5, PlainConv2d)(torch.randn(1, 3, 16, 16), None)
    assert known is None
    assert z_BDHW.shape == (1, 5, 16 // sizes.factor, 16 // sizes.factor)
    assert Generator(sizes, 5)(z_BDHW).shape == (1, 3, 16, 16)


def test_module_types_do_not_depend_on_the_stem():
    def types(stem: int) -> set[type[nn.Module]]:
        return {
            type(m)
            for net in (Encoder(shape(stem), 3, 4, RESTRICTIVE), Generator(shape(stem), 4))
            for m in net.modules()
        }

    assert types(1) == types(4)


def test_an_image_is_encoded_alike_in_every_batch():
    torch.manual_seed(1)
    encoder, (x_BCHW, known_B1HW) = Encoder(shape(), 3, 4, RESTRICTIVE), scene(5, 3, 16)
    together, _ = encoder(x_BCHW, known_B1HW)
    for b in range(2):
        alone, _ = encoder(x_BCHW[b : b + 1], known_B1HW[b : b + 1])
        torch.testing.assert_close(alone[0], together[b], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("stem", [1, 2, 4])
def test_an_untrained_generator_has_no_checkerboard(stem):
    torch.manual_seed(0)
    net = Generator(shape(stem=stem), inputs=4)
    cells = 16 // shape(stem=stem).factor
    picture_BCHW = net(torch.randn(2, 4, cells, cells))
    blocks_BChrwr = picture_BCHW.unflatten(2, (-1, stem)).unflatten(4, (-1, stem))
    first = blocks_BChrwr[:, :, :, :1, :, :1]
    torch.testing.assert_close(blocks_BChrwr, first.expand_as(blocks_BChrwr))
    assert first.std() > 0.01  # it is no grey picture
    flat = net.head.weight.flatten(1)
    assert torch.linalg.matrix_rank(flat) == 3  # a row a colour, though every pixel learns its own


@pytest.mark.parametrize("kind", KINDS)
def test_hidden_positions_are_0_after_normalisation(kind):
    (x_BCHW, known_B1HW), norm = scene(0), MaskedNorm(8, Normalisation(kind))
    y_BCHW = norm(x_BCHW, known_B1HW)
    assert not (y_BCHW * (1 - known_B1HW)).any() and (y_BCHW * known_B1HW).any()


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_numbers_where_one_position_alone_is_known(kind):
    """Its statistics have no spread: through them hidden positions grew until attention's gradient was none."""
    torch.manual_seed(0)
    layers = [SpatialAttention(8, Normalisation(kind)) for _ in range(4)]
    x_BCHW, known_B1HW = scene(0)[0].requires_grad_(), torch.zeros(2, 1, 8, 8)
    known_B1HW[:, :, 0, 0] = 1
    y_BCHW: Tensor = x_BCHW
    for layer in layers:
        y_BCHW, _ = layer(y_BCHW, known_B1HW)
    (y_BCHW * known_B1HW).square().sum().backward()
    gradients = [x_BCHW.grad, *(p.grad for layer in layers for p in layer.parameters())]
    assert all(bool(gradient.isfinite().all()) for gradient in gradients) and y_BCHW.abs().max() < 100
