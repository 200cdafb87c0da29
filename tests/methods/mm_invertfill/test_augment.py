"""Augmentation of what the judge sees: what it keeps, its gradients, and how strong it becomes."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck

from stages.methods.mm_invertfill.blocks import augment
from stages.methods.mm_invertfill.blocks.augment import Augment
from tests.methods.mm_invertfill.conftest import images


def augmented(p: float) -> Augment:
    net = Augment()
    net.p.fill_(p)
    return net


def test_augmentation_of_probability_0_is_the_identity():
    torch.manual_seed(0)
    assert torch.allclose(augmented(0.0)(images()), images(), atol=1e-5)


def test_augmentation_of_probability_1_changes_every_picture_in_its_own_way():
    torch.manual_seed(0)
    found_BCHW = augmented(1.0)(images(1).expand(8, -1, -1, -1))
    pictures = [images(1)[0], *found_BCHW]
    assert all((a - b).abs().max() > 0.1 for i, a in enumerate(pictures) for b in pictures[:i])


def test_augmentation_keeps_grey_grey_and_flat_flat():
    """Saturation turns about the grey axis, contrast and brightness are the channels' own; a border is mirrored."""
    torch.manual_seed(0)
    grey_BCHW = augmented(1.0)(images()[:, :1].expand(-1, 3, -1, -1))
    assert torch.allclose(grey_BCHW, grey_BCHW.mean(1, keepdim=True).expand_as(grey_BCHW), atol=1e-5)
    flat_BCHW = augmented(1.0)(images()[:, :, :1, :1].expand(-1, -1, 16, 16))
    assert torch.allclose(flat_BCHW, flat_BCHW[:, :, :1, :1].expand_as(flat_BCHW), atol=1e-5)


def test_saturation_leaves_grey_pictures_as_they_are(monkeypatch):
    for other in ("CONTRAST", "BRIGHTNESS"):
        monkeypatch.setattr(augment, other, 0.0)
    flat_BCHW = images()[:, :, :1, :1].expand(-1, -1, 16, 16)
    grey_BCHW = flat_BCHW[:, :1].expand_as(flat_BCHW)
    torch.manual_seed(0)
    assert torch.allclose(augmented(1.0)(grey_BCHW), grey_BCHW, atol=1e-5)
    assert not torch.allclose(augmented(1.0)(flat_BCHW), flat_BCHW, atol=0.05)


def test_augmentation_has_the_gradients_that_r1_takes():
    net, image_BCHW = augmented(1.0).double(), images(1, 4).double().requires_grad_()

    def drawn_alike(x_BCHW: Tensor) -> Tensor:
        torch.manual_seed(0)
        return net(x_BCHW).double()

    assert gradcheck(drawn_alike, image_BCHW, eps=1e-3, atol=1e-3)
    assert gradgradcheck(drawn_alike, image_BCHW, eps=1e-3, atol=1e-3)


def test_the_probability_follows_what_is_told_of_real_pictures():
    net = augmented(0.5)
    for logits, sign in ((torch.ones(4, 1), 1), (-torch.ones(4, 1), -1), (torch.tensor([9.0, 9.0, -1.0, -1.0]), -1)):
        before = float(net.p)
        net.adapt(logits, target=0.6, images=100)
        assert float(net.p) == pytest.approx(before + sign * 4 / 100)


def test_the_probability_stays_between_0_and_1():
    for p, sign in ((0.99, 1.0), (0.01, -1.0)):
        net = augmented(p)
        net.adapt(sign * torch.ones(4, 1), target=0.6, images=100)
        assert float(net.p) == (sign > 0)
