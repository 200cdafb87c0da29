"""Attention over positions, its keys masked to the known ones, and its use on a feature map."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stages.nets.masked_norm import MaskedNorm, Normalisation


def visible_or_self(visible_BN: Tensor) -> Tensor:
    """Which keys (last axis) a query may see: the visible ones and itself; (B, 1, N, N) of bool.

    Itself always, so that a row has a key also where nothing is visible; what it holds went through no hidden key.
    """
    own_NN = torch.eye(visible_BN.shape[1], dtype=torch.bool, device=visible_BN.device)
    return (visible_BN[:, None, :] | own_NN)[:, None]


def attend(q_BJMd: Tensor, k_BJNd: Tensor, v_BJNd: Tensor, seen_B1MN: Tensor | None, dropout: float = 0.0) -> Tensor:
    """Softmax attention over the keys that each query may see, (B, J, M, d).

    torch's fused kernel, but for bfloat16 on a CPU: there its backward pass takes four times what the products
    written out take.
    """
    if q_BJMd.device.type != "cpu" or q_BJMd.dtype != torch.bfloat16:
        return F.scaled_dot_product_attention(q_BJMd, k_BJNd, v_BJNd, attn_mask=seen_B1MN, dropout_p=dropout)
    score_BJMN = q_BJMd @ k_BJNd.transpose(-1, -2) * q_BJMd.shape[-1] ** -0.5
    if seen_B1MN is not None:
        score_BJMN = score_BJMN.masked_fill(~seen_B1MN, -torch.inf)
    return F.dropout(score_BJMN.softmax(-1), dropout).to(v_BJNd.dtype) @ v_BJNd


class SpatialAttention(nn.Module):
    """One-headed residual self-attention, called as `attention(x_BCHW, known_B1HW) -> (x_BCHW, known_B1HW)`."""

    def __init__(self, channels: int, normalisation: Normalisation) -> None:
        super().__init__()
        self.masked = normalisation.masked
        self.norm = MaskedNorm(channels, normalisation)
        self.to_qkv = nn.Linear(channels, 3 * channels)
        self.to_out = nn.Linear(channels, channels)

    def forward(self, x_BCHW: Tensor, known_B1HW: Tensor | None) -> tuple[Tensor, Tensor | None]:
        x_BNC = self.norm(x_BCHW, known_B1HW).flatten(2).transpose(1, 2)
        q_B1NC, k_B1NC, v_B1NC = self.to_qkv(x_BNC).unsqueeze(1).chunk(3, dim=-1)
        y_BNC = attend(q_B1NC, k_B1NC, v_B1NC, self._seen(known_B1HW))[:, 0]
        return x_BCHW + self.to_out(y_BNC).transpose(1, 2).view_as(x_BCHW), known_B1HW

    def _seen(self, known_B1HW: Tensor | None) -> Tensor | None:
        if known_B1HW is None or not self.masked:
            return None
        return visible_or_self(known_B1HW.flatten(1) > 0)
