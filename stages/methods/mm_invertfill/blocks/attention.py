"""Gated mask-aware attention and the feed-forward after it (paper 002, Sec. 3.2.2, eq. 2-3).

Axes: p pixels along a patch's side, N patches, d values of a patch in a head; A channels of what is fused.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stages.methods.mm_invertfill.blocks.fusion import fusion
from stages.methods.mm_invertfill.blocks.sizes import Sizes
from stages.nets.precision import full_precision


def to_patches(x_BCHW: Tensor, patch: int) -> Tensor:
    """Patches of p x p pixels that do not overlap, in raster order: (B, N, C p p)."""
    return F.pixel_unshuffle(x_BCHW, patch).flatten(2).transpose(1, 2)


def from_patches(x_BNd: Tensor, patch: int, cells: int) -> Tensor:
    """The map again; `cells` patches along a side."""
    return F.pixel_shuffle(x_BNd.transpose(1, 2).unflatten(2, (cells, -1)), patch)


def attend(q_BNd: Tensor, k_BNd: Tensor, v_BNd: Tensor, gate_logit_BN: Tensor | None) -> Tensor:
    """softmax(q k^T / sqrt(d)) * gate of the keys, rows summing to 1 again, of the values; float32 (eq. 3).

    A gate's logarithm is added to the scores, which is the same and never divides by a sum of closed gates.
    """
    with full_precision(q_BNd):
        score_BMN = q_BNd.float() @ k_BNd.float().transpose(1, 2) * q_BNd.shape[2] ** -0.5
        if gate_logit_BN is not None:
            score_BMN = score_BMN + F.logsigmoid(gate_logit_BN.float())[:, None]
        return score_BMN.softmax(2) @ v_BNd.float()


class PatchAttention(nn.Module):
    """Attention of fused features: a head a patch size, each with its share of the channels and a gate of its own.

    The gate is one number a patch, a sigmoid convolution of the features and of where the image is known. Scores take
    4 N^2 bytes a head and image: 64 MiB for patches of 2 at half of 256 pixels.
    """

    def __init__(self, channels: int, patches: Sequence[int], gated: bool) -> None:
        super().__init__()
        self.patches = tuple(patches)
        self.to_qkv = nn.ModuleList(nn.Conv2d(channels, channels, 1) for _ in range(3))
        gates = (nn.Conv2d(channels + 1, 1, patch, patch) for patch in patches)
        self.gates = nn.ModuleList(gates) if gated else None

    def forward(self, x_BCHW: Tensor, aux_BAHW: Tensor, known_B1HW: Tensor, fuse: nn.Module) -> Tensor:
        """What is added to x. `fuse` is one for queries, keys and values; known_B1HW is the known share of a cell."""
        qkv = [fuse(embed(x_BCHW), aux_BAHW) for embed in self.to_qkv]
        seen_BCHW = torch.cat([x_BCHW, known_B1HW.to(x_BCHW.dtype)], 1)
        heads = zip(*(part.chunk(len(self.patches), 1) for part in qkv), strict=True)
        mixed = [self._head(number, list(head), seen_BCHW) for number, head in enumerate(heads)]
        return torch.cat(mixed, 1)

    def _head(self, number: int, qkv: list[Tensor], seen_BCHW: Tensor) -> Tensor:
        patch = self.patches[number]
        logit_BN = None if self.gates is None else self.gates[number](seen_BCHW).flatten(1)
        q_BNd, k_BNd, v_BNd = (to_patches(part, patch) for part in qkv)
        mixed_BNd = attend(q_BNd, k_BNd, v_BNd, logit_BN)
        return from_patches(mixed_BNd, patch, seen_BCHW.shape[2] // patch)


class GatedFeedForward(nn.Module):
    """x * tanh(3x3) + two 3x3 convolutions, the first dilated by 2; MMT's."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gate = nn.Conv2d(channels, channels, 3, padding=1)
        self.layers = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=2, dilation=2),
            nn.GELU(),
            nn.Conv2d(channels, channels, 3, padding=1),
        )

    def forward(self, x_BCHW: Tensor) -> Tensor:
        return x_BCHW * torch.tanh(self.gate(x_BCHW)) + self.layers(x_BCHW)


class GuidedBlock(nn.Module):
    """A transformer block of the picture's branch: attention, then the feed-forward, each of fused features.

    Both are added to what they read (ours for the second: MMT's tanh alone lets little through at first). Without
    attention features are fused once, before the feed-forward.
    """

    def __init__(self, sizes: Sizes, channels: int, aux: int) -> None:
        super().__init__()
        attends = sizes.attention != "none"
        self.attention = PatchAttention(channels, sizes.patches, sizes.attention == "gated") if attends else None
        self.fuse_first = fusion(sizes.fusion, channels, aux) if attends else None
        self.fuse_second = fusion(sizes.fusion, channels, aux)
        self.feed_forward = GatedFeedForward(channels)

    def forward(self, x_BCHW: Tensor, aux_BAHW: Tensor, known_B1HW: Tensor) -> Tensor:
        if self.attention is not None and self.fuse_first is not None:
            x_BCHW = x_BCHW + self.attention(x_BCHW, aux_BAHW, known_B1HW, self.fuse_first)
        return x_BCHW + self.feed_forward(self.fuse_second(x_BCHW, aux_BAHW))
