"""The structure generator: p(s | masked image) as a product over codes in raster order (paper 001, Sec. 3.2, eq. 4).

Axes: D a code's channels, K codes, C hidden channels, H W the grid of structure codes.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from stages.contract import Params, UserError
from stages.methods.dsi.blocks.autoencoder import Sizes as CodeSizes
from stages.methods.dsi.blocks.condition import ConditionNet
from stages.nets.causal_attention import CausalAttention
from stages.nets.causal_conv import CausalConv2d, concat_elu, left_conv, normed, upper_conv
from stages.nets.gated_residual import GatedResidual


class Sizes(Params):
    """The two streams, their attentions, the output layers and the condition; the paper's and the released ones."""

    hidden: int = Field(default=128, ge=1)  # hidden and residual units; paper Sec. 3.2
    layers: int = Field(default=20, ge=1)  # gated residual ones; paper Sec. 3.2
    attentions: int = Field(default=4, ge=1)  # one after each group of layers; paper Sec. 3.2
    heads: int = Field(default=8, ge=1)  # of an attention; as released
    key_width: int = Field(default=16, ge=1)  # of a head; as released
    value_width: int = Field(default=64, ge=1)
    output_layers: int = Field(default=20, ge=0)  # residual 1x1 ones before the logits; as released
    condition_width: int = Field(default=32, ge=1)  # at full size, doubled by each halving; as released
    condition_dilations: tuple[int, ...] = (1, 1, 1, 2, 4, 8, 16, 1, 1, 1)  # of its layers on the grid; as released
    stem: int = Field(default=1, ge=1)  # pixels along a side folded into channels; 1: none, as released
    dropout: float = Field(default=0.1, ge=0, lt=1)  # in the gated layers; as released

    def groups(self) -> int:
        """Layers before each attention; UserError where they do not share out."""
        if self.layers % self.attentions:
            raise UserError(
                f"params: methods.dsi.prior.layers ({self.layers}) is no multiple of attentions ({self.attentions}); "
                "change one of them"
            )
        return self.layers // self.attentions


class OutputLayer(nn.Module):
    """x plus ELU, 1x1, ELU, 1x1 of it: what follows the last layer that looks around."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first, self.second = normed(channels, channels), normed(channels, channels, gain=0.1)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        return x_BCHW + self.second(F.elu(self.first(F.elu(x_BCHW))))


class StructureNet(nn.Module):
    """Logits of every code from the codes before it in raster order and from the masked image.

    The upper stream knows the rows above a position, the left stream also what stands left of it in its row; each left
    layer also reads the upper layer beside it. Codes enter as their vectors, with a channel of ones that tells a border
    from a vector.
    """

    codebook_KD: Tensor

    def __init__(self, sizes: Sizes, codes: CodeSizes) -> None:
        super().__init__()
        hidden, self.group = sizes.hidden, sizes.groups()
        self.register_buffer("codebook_KD", torch.zeros(codes.codes, codes.channels))
        self.condition = ConditionNet(sizes.condition_width, sizes.condition_dilations, sizes.stem)
        inputs = codes.channels + 1
        self.enter_upper = CausalConv2d(inputs, hidden, (2, 3), centred=True, above=1)
        self.enter_row = CausalConv2d(inputs, hidden, (1, 3), centred=True, above=1)
        self.enter_left = CausalConv2d(inputs, hidden, (2, 1), left=1)
        told, dropout = self.condition.channels, sizes.dropout
        self.upper = nn.ModuleList(
            GatedResidual(hidden, upper_conv, condition=told, dropout=dropout) for _ in range(sizes.layers)
        )
        self.left = nn.ModuleList(
            GatedResidual(hidden, left_conv, beside=hidden, condition=told, dropout=dropout)
            for _ in range(sizes.layers)
        )
        heads = (sizes.heads, sizes.key_width, sizes.value_width)
        self.attentions = nn.ModuleList(CausalAttention(hidden, *heads) for _ in range(sizes.attentions))
        self.output = nn.Sequential(*(OutputLayer(hidden) for _ in range(sizes.output_layers)), nn.ELU())
        self.head = normed(hidden, codes.codes)

    def forward(self, codes_BHW: Tensor, image_BCHW: Tensor, known_B1HW: Tensor) -> Tensor:
        """logits_BKHW."""
        return self.logits(codes_BHW, self.condition(image_BCHW, known_B1HW))

    def logits(self, codes_BHW: Tensor, condition_BCHW: Tensor) -> Tensor:
        """logits_BKHW under a condition that was computed before."""
        x_BDHW = self.vectors(codes_BHW).permute(0, 3, 1, 2)
        told_BCHW = concat_elu(condition_BCHW)
        upper_BCHW = self.enter_upper(x_BDHW)
        left_BCHW = self.enter_row(x_BDHW) + self.enter_left(x_BDHW)
        for upper, left, attention in self.stack():
            upper_BCHW = upper(upper_BCHW, None, told_BCHW)
            left_BCHW = left(left_BCHW, upper_BCHW, told_BCHW)
            left_BCHW = left_BCHW if attention is None else attention(left_BCHW)
        return self.head(self.output(left_BCHW))

    def stack(self) -> Iterator[tuple[nn.Module, nn.Module, nn.Module | None]]:
        """(upper layer, left layer, the attention after it or None), in turn."""
        for number, (upper, left) in enumerate(zip(self.upper, self.left, strict=True), start=1):
            yield upper, left, self.attentions[number // self.group - 1] if number % self.group == 0 else None

    def vectors(self, codes_BHW: Tensor) -> Tensor:
        """What codes are to the streams: their vectors and a one, (B, H, W, D + 1)."""
        return F.pad(F.embedding(codes_BHW, self.codebook_KD), (0, 1), value=1.0)
