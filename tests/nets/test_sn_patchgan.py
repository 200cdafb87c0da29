"""SN-PatchGAN: its shape, its norms, and that it looks at the mask."""

from __future__ import annotations

import torch
from torch import nn

from stages.nets.sn_patchgan import SnPatchGan


def test_six_halvings_and_every_output_is_judged():
    torch.manual_seed(0)
    net = SnPatchGan(8)
    widths = [conv.out_channels for conv in net.modules() if isinstance(conv, nn.Conv2d)]
    assert widths == [8, 16, 32, 32, 32, 32]
    assert net(torch.zeros(2, 3, 256, 256), torch.zeros(2, 1, 256, 256)).shape == (2, 32 * 4 * 4)


def test_its_convolutions_come_to_a_spectral_norm_of_one():
    torch.manual_seed(0)
    net = SnPatchGan(4)
    for _ in range(200):
        net(torch.zeros(1, 3, 64, 64), torch.zeros(1, 1, 64, 64))
    for conv in net.modules():
        if isinstance(conv, nn.Conv2d):
            assert abs(float(torch.linalg.matrix_norm(conv.weight.flatten(1), 2)) - 1) < 1e-3


def test_it_sees_the_mask():
    torch.manual_seed(0)
    net, image_BCHW = SnPatchGan(4).eval(), torch.randn(1, 3, 64, 64)
    one, other = (net(image_BCHW, torch.full((1, 1, 64, 64), hole)) for hole in (0.0, 1.0))
    assert not torch.allclose(one, other)
