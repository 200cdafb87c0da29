"""The multimodal mutual decoder: picture, edges and labels, at three scales (paper 002, Sec. 3.2.2)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stages.methods.mm_invertfill.blocks.attention import GuidedBlock
from stages.methods.mm_invertfill.blocks.sizes import LEVELS, Sizes
from stages.nets.gated_conv import GatedConv2d, GatedUp2d


@dataclass(frozen=True)
class Restoration:
    """What one scale restores: the picture in [-1, 1], logits of edges and of classes (None: no branch); float32."""

    image_B3hw: Tensor
    edges_B1hw: Tensor | None
    labels_BChw: Tensor | None

    def maps(self) -> Tensor:
        """Picture, edges' and classes' probabilities, side by side (the concatenation of Sec. 3.2)."""
        return torch.cat([self.image_B3hw, *probabilities(self.edges_B1hw, self.labels_BChw)], 1)


def probabilities(edges_B1hw: Tensor | None, labels_BChw: Tensor | None) -> list[Tensor]:
    """Of edges (B, 1, h, w) and of each class (B, classes, h, w), from the logits that there are."""
    edges = [] if edges_B1hw is None else [torch.sigmoid(edges_B1hw)]
    return edges if labels_BChw is None else [*edges, labels_BChw.softmax(1)]


@dataclass(frozen=True)
class Forks:
    """Features of the picture's branch and of the branches beside it, by name."""

    rgb_BCHW: Tensor
    beside: dict[str, Tensor]


class Fork(nn.Module):
    """One scale of one branch: its features, doubled in size but for the first scale, merged with what joins them.

    After a doubling, which looks around by itself, the merging convolution is 1x1, for speed (ours).
    """

    def __init__(self, inputs: int, joined: int, outputs: int, up: bool) -> None:
        super().__init__()
        self.up = GatedUp2d(inputs, outputs) if up else nn.Identity()
        self.merge = GatedConv2d((outputs if up else inputs) + joined, outputs, 1 if up else 3)

    def forward(self, x_BChw: Tensor, *joined: Tensor) -> Tensor:
        return self.merge(torch.cat([self.up(x_BChw), *joined], 1))


class Level(nn.Module):
    """One scale: every branch takes the skip, those beside the picture's take its features, and it takes theirs."""

    def __init__(self, sizes: Sizes, branches: dict[str, int], number: int) -> None:
        super().__init__()
        here, beside, up = sizes.channels[number], sizes.branch_channels[number], number > 0
        self.biased, self.meet = sizes.prior == "biased", sizes.fusion != "none"
        self.rgb = Fork(sizes.channels[max(number - 1, 0)], here, here, up)
        own = sizes.branch_channels[number - 1] if up else sizes.channels[0]
        joined = 2 * here if self.meet else here
        self.beside = nn.ModuleDict({name: Fork(own, joined, beside, up) for name in branches})
        self.heads = nn.ModuleDict({name: _head(beside, maps) for name, maps in branches.items()})
        self.block = GuidedBlock(sizes, here, sum(branches.values()) if self.biased else beside * len(branches))
        self.rgb_head = _head(here, 3)

    def forward(self, below: Forks, skip_BCHW: Tensor, known_B1HW: Tensor) -> tuple[Forks, Restoration]:
        """`below` is the coarser scale's; known_B1HW is the share of known pixels in each cell of this one."""
        rgb_BCHW = self.rgb(below.rgb_BCHW, skip_BCHW)
        joined = (skip_BCHW, rgb_BCHW) if self.meet else (skip_BCHW,)
        beside = {name: fork(below.beside[name], *joined) for name, fork in self.beside.items()}
        logits = {name: head(beside[name]).float() for name, head in self.heads.items()}
        structures = logits.get("edges"), logits.get("labels")
        told = probabilities(*structures) if self.biased else list(beside.values())
        rgb_BCHW = self.block(rgb_BCHW, torch.cat([rgb_BCHW[:, :0], *told], 1), known_B1HW)
        image_B3HW = torch.tanh(self.rgb_head(rgb_BCHW).float())
        return Forks(rgb_BCHW, beside), Restoration(image_B3HW, *structures)


class Decoder(nn.Module):
    """Three scales, the coarsest first, from the bottlenecks' features and the backbone's skips."""

    def __init__(self, sizes: Sizes, classes: int) -> None:
        super().__init__()
        self.branches = sizes.branches(classes)
        self.levels = nn.ModuleList(Level(sizes, self.branches, number) for number in range(len(LEVELS)))

    def forward(
        self, f_BCHW: Tensor, skips: tuple[Tensor, ...], known_B1HW: Tensor
    ) -> tuple[list[Tensor], list[Restoration]]:
        """Features of the picture's branch and what is restored, at each scale."""
        forks, features, restored = Forks(f_BCHW, dict.fromkeys(self.branches, f_BCHW)), [], []
        for level, skip_BCHW in zip(self.levels, skips, strict=True):
            share_B1HW = F.adaptive_avg_pool2d(known_B1HW, skip_BCHW.shape[2])
            forks, seen = level(forks, skip_BCHW, share_B1HW)
            features.append(forks.rgb_BCHW)
            restored.append(seen)
        return features, restored


def _head(channels: int, maps: int) -> nn.Conv2d:
    """A lateral head: one 3x3 convolution (ours)."""
    return nn.Conv2d(channels, maps, 3, padding=1)
