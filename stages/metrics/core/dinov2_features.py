"""DINOv2's smallest network (Oquab et al. 2023), a vision transformer ViT-S/14 without registers: its class token.

torch-fidelity's extractor takes network and weights from torch.hub, without a digest: here the network is our own, its
parameters named as in the published file, and what an image is brought to is torch-fidelity's: 224 px as TensorFlow 1
did it, ImageNet's mean and deviation.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stages.images.pixels import to_uint8
from stages.metrics.core.contract import AbsentError
from stages.project import weights

WIDTH, HEADS, DEPTH, PATCH = 384, 6, 12, 14
SIDE, LEARNT = 224, 518  # pixels a side that are shown, and that places were learnt at
OFFSET = 0.1  # of a patch, in the scale by which places are stretched: as the network was published
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet in [0, 1]
EPSILON = 1e-6


class Attention(nn.Module):
    """Self-attention of HEADS heads, (B, N, WIDTH) -> the same."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv, self.proj = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)

    def forward(self, x_BND: Tensor) -> Tensor:
        query_BHNd, key_BHNd, value_BHNd = self.qkv(x_BND).unflatten(2, (3, HEADS, -1)).permute(2, 0, 3, 1, 4)
        mixed_BHNd = F.scaled_dot_product_attention(query_BHNd, key_BHNd, value_BHNd)
        return self.proj(mixed_BHNd.transpose(1, 2).flatten(2))


class Mlp(nn.Module):
    """Two layers about a GELU, four times as wide between."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x_BND: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.fc1(x_BND)))


class Scale(nn.Module):
    """A learnt factor a channel (LayerScale)."""

    def __init__(self) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(WIDTH))

    def forward(self, x_BND: Tensor) -> Tensor:
        return x_BND * self.gamma


class Block(nn.Module):
    """Attention, then the MLP, each behind a norm and added."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1, self.attn, self.ls1 = nn.LayerNorm(WIDTH, EPSILON), Attention(), Scale()
        self.norm2, self.mlp, self.ls2 = nn.LayerNorm(WIDTH, EPSILON), Mlp(), Scale()

    def forward(self, x_BND: Tensor) -> Tensor:
        x_BND = x_BND + self.ls1(self.attn(self.norm1(x_BND)))
        return x_BND + self.ls2(self.mlp(self.norm2(x_BND)))


class Patches(nn.Module):
    """An image's patches as tokens, (B, 3, H, W) -> (B, N, WIDTH)."""

    def __init__(self) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, WIDTH, PATCH, PATCH)

    def forward(self, image_BCHW: Tensor) -> Tensor:
        return self.proj(image_BCHW).flatten(2).mT


class DinoV2(nn.Module):
    """Normalised images, (B, 3, SIDE, SIDE) -> the class token behind the last norm, (B, WIDTH)."""

    def __init__(self) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, WIDTH))
        self.mask_token = nn.Parameter(torch.zeros(1, WIDTH))  # of the training; in the file
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + (LEARNT // PATCH) ** 2, WIDTH))
        self.patch_embed, self.norm = Patches(), nn.LayerNorm(WIDTH, EPSILON)
        self.blocks = nn.ModuleList(Block() for _ in range(DEPTH))

    def forward(self, image_BCHW: Tensor) -> Tensor:
        patches_BND = self.patch_embed(image_BCHW)
        x_BND = torch.cat([self.cls_token.expand(len(patches_BND), -1, -1), patches_BND], dim=1) + self.places()
        for block in self.blocks:
            x_BND = block(x_BND)
        return self.norm(x_BND)[:, 0]

    def places(self) -> Tensor:
        """(1, 1 + N, WIDTH): those that were learnt, stretched to the patches of SIDE pixels."""
        side, shown = LEARNT // PATCH, SIDE // PATCH
        learnt_1Dhw = self.pos_embed[:, 1:].mT.unflatten(2, (side, side))
        scale = (shown + OFFSET) / side
        shown_1Dhw = F.interpolate(learnt_1Dhw, scale_factor=(scale, scale), mode="bicubic")
        return torch.cat([self.pos_embed[:, :1], shown_1Dhw.flatten(2).mT], dim=1)


class DinoV2Features(nn.Module):
    """Images in [-1, 1] -> features (B, 384)."""

    mean_C11: Tensor
    std_C11: Tensor

    def __init__(self) -> None:
        super().__init__()
        tensors = weights.features("dinov2")
        if tensors is None:
            raise AbsentError(weights.why("dinov2"))
        with torch.random.fork_rng(devices=[]):
            self.net = DinoV2()
        self.net.load_state_dict(tensors)
        self.register_buffer("mean_C11", 255.0 * torch.tensor(MEAN)[:, None, None])
        self.register_buffer("std_C11", 255.0 * torch.tensor(STD)[:, None, None])
        self.requires_grad_(False).eval()

    def forward(self, image_BCHW: Tensor) -> Tensor:
        # here: it takes seconds, and most metrics do without it
        from torch_fidelity.interpolate_compat_tensorflow import interpolate_bilinear_2d_like_tensorflow1x as resized

        levels_BCHW = to_uint8(image_BCHW).permute(0, 3, 1, 2).float()
        shown_BCHW = resized(levels_BCHW, size=(SIDE, SIDE), align_corners=False)
        return self.net((shown_BCHW - self.mean_C11) / self.std_C11)
