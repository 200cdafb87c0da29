"""Paper 001 at its size, 256 px, on the CPU: structures drawn through caches, and structural attention.

The sampler's peer makes a full forward pass for every code, as the method was released: the pass is timed over a few
positions and taken times the 1,024 of the grid, with ours drawn whole. Attention's peer makes the convolutions of
contextual attention for one sample after the other: patches as kernels, out and back.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

import torch
import torch.nn.functional as F
from torch import Tensor

from stages.methods.dsi.blocks.attention import AttentionParams, scores, transfer
from stages.methods.dsi.blocks.autoencoder import Sizes as CodeSizes
from stages.methods.dsi.blocks.structure import Sizes, StructureNet
from stages.methods.dsi.sampling.sampler import Rule, StructureSampler
from tests.bench.turns import race, seconds

SIDE = 32  # structure codes along a side at 256 px
TIMED = 3  # positions over which a full pass is timed
BATCH = 4
PARAMS = AttentionParams()


def rows() -> list[tuple[str, float, float]]:
    """(name, peer's seconds, our seconds)."""
    net = StructureNet(Sizes(), CodeSizes()).eval().requires_grad_(False)
    known_B1HW = torch.ones(1, 1, 8 * SIDE, 8 * SIDE)
    known_B1HW[..., 64:192, 64:192] = 0
    image_BCHW = torch.rand(1, 3, 8 * SIDE, 8 * SIDE) * 2 - 1
    return [*(_drawing(net, image_BCHW, known_B1HW, samples) for samples in (1, 8)), *_attention()]


def _drawing(net: StructureNet, image_BCHW: Tensor, known_B1HW: Tensor, samples: int) -> tuple[str, float, float]:
    """One structure, or eight of one image: the condition too, each position for the peer, once for us."""
    codes_RHW = torch.zeros(samples, SIDE, SIDE, dtype=torch.int64)
    images = [x.expand(samples, -1, -1, -1) for x in (image_BCHW, known_B1HW)]
    net(codes_RHW[:1], image_BCHW, known_B1HW)  # warms up
    peer = seconds(lambda: [net(codes_RHW, *images) for _ in range(TIMED)]) / TIMED * SIDE**2
    ours = median(seconds(lambda: _draw(net, image_BCHW, known_B1HW, samples)) for _ in range(2))
    return f"structure, {samples} of an image: full passes (times {SIDE**2}) / caches", peer, ours


def _draw(net: StructureNet, image_BCHW: Tensor, known_B1HW: Tensor, samples: int) -> Tensor:
    seeds_BK = torch.arange(samples)[None]
    return StructureSampler(net, net.condition(image_BCHW, known_B1HW), seeds_BK, Rule()).draw()


def _attention(rounds: int = 5) -> list[tuple[str, float, float]]:
    torch.manual_seed(0)
    s_BDhw = torch.randn(BATCH, 64, SIDE, SIDE)
    maps = [torch.randn(BATCH, 64, 128, 128, requires_grad=True), torch.randn(BATCH, 128, 64, 64, requires_grad=True)]
    slopes = [torch.randn_like(x) for x in maps]

    def ours() -> list[Tensor]:
        return transfer(maps, scores(s_BDhw, torch.ones(BATCH, 1, SIDE, SIDE), PARAMS), s_BDhw.shape[2:])

    def peer() -> list[Tensor]:
        parts = [_convolved(s_BDhw[b : b + 1], [x[b : b + 1] for x in maps]) for b in range(BATCH)]
        return [torch.cat(level) for level in zip(*parts, strict=True)]

    with torch.no_grad():
        assert all(torch.allclose(one, other, atol=1e-3) for one, other in zip(ours(), peer(), strict=True))
    pairs = {
        "forward": (lambda way: lambda: _without_grad(way)),
        "forward and backward": (lambda way: lambda: torch.autograd.grad(way(), maps, slopes)),
    }
    return [
        (
            f"structural attention, {BATCH} samples, {name}: convolutions / products",
            *race(run(peer), run(ours), rounds),
        )
        for name, run in pairs.items()
    ]


def _convolved(s_1Dhw: Tensor, maps: list[Tensor]) -> list[Tensor]:
    """One sample's attention by convolutions: every patch a kernel, the scores' map convolved back."""
    patches_ND33 = F.unfold(s_1Dhw, 3, padding=1)[0].T.reshape(-1, s_1Dhw.shape[1], 3, 3)
    product_1Nhw = F.conv2d(s_1Dhw, patches_ND33, padding=1)
    own_11hw = F.conv2d(s_1Dhw.square().sum(1, keepdim=True), torch.ones(1, 1, 3, 3), padding=1)
    square_1Nhw = (patches_ND33.square().sum((1, 2, 3)).view(1, -1, 1, 1) + own_11hw - 2 * product_1Nhw).clamp(min=0)
    d_1Nhw = (square_1Nhw + 1e-6).sqrt()
    deviation, mean = torch.std_mean(d_1Nhw, 1, correction=0, keepdim=True)
    score_1Nhw = (PARAMS.scale * torch.tanh((mean - d_1Nhw) / (deviation + 1e-6))).softmax(1)
    made = []
    for x_1CHW in maps:
        size = x_1CHW.shape[2] // SIDE
        kernels = F.unfold(x_1CHW, size, stride=size)[0].T.reshape(-1, x_1CHW.shape[1], size, size)
        made.append(F.conv_transpose2d(score_1Nhw, kernels, stride=size))
    return made


def _without_grad(way: Callable[[], list[Tensor]]) -> list[Tensor]:
    with torch.no_grad():
        return way()
