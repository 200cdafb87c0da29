"""The structure generator's layers, a row or a position at a time: the numbers of its forward pass, each made once.

Axes: R rows (samples), W columns, n positions at once, C channels, J heads, N positions of the grid, d a head's width.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stages.methods.dsi.sampling.windows import Window, matrix, product
from stages.nets.causal_attention import CausalAttention
from stages.nets.causal_conv import concat_elu
from stages.nets.gated_residual import GatedResidual, glu


class Pointwise:
    """A 1x1 convolution of values whose channels stand last."""

    def __init__(self, conv: nn.Module) -> None:
        assert isinstance(conv, nn.Conv2d) and isinstance(conv.bias, Tensor)
        self.weight_OC, self.bias_O = conv.weight.detach()[:, :, 0, 0].contiguous(), conv.bias.detach()

    def __call__(self, x_RnC: Tensor) -> Tensor:
        return F.linear(x_RnC, self.weight_OC, self.bias_O)


class Layer:
    """A gated residual layer over two windows, one of each of its convolutions."""

    def __init__(self, layer: nn.Module, told_BCHW: Tensor, samples: int, columns: int) -> None:
        """`told_BCHW`: the condition as the layers read it; each image's is shared by its `samples` rows."""
        assert isinstance(layer, GatedResidual) and layer.condition is not None
        self.samples, self.beside = samples, Pointwise(layer.beside) if layer.beside is not None else None
        self.first_XC, self.first_bias_C = matrix(layer.first)
        self.second_XC, second_bias_C = matrix(layer.second)
        gated_BCHW = layer.condition(told_BCHW) + second_bias_C[:, None, None]
        self.told_BHWC = gated_BCHW.permute(0, 2, 3, 1).contiguous()
        inputs = (len(self.first_XC) // (2 * columns), len(self.second_XC) // (2 * columns))
        rows, width = samples * len(told_BCHW), told_BCHW.shape[3]
        self.windows = [Window(told_BCHW.new_zeros(rows, channels), width, columns) for channels in inputs]

    def begin_row(self, row: int, beside_RWC: Tensor | None = None) -> None:
        """What the row adds at its positions: the condition, and what stands beside it in the upper stream."""
        self.told_RWC = self.told_BHWC[:, row].repeat_interleave(self.samples, 0)
        self.plus_RWC = self.first_bias_C.expand(*self.told_RWC.shape[:2], -1)
        if self.beside is not None and beside_RWC is not None:
            self.plus_RWC = self.plus_RWC + self.beside(concat_elu(beside_RWC, -1))

    def step(self, x_RnC: Tensor, column: int) -> Tensor:
        """The layer at n positions from a column on; all before them must have been gone through."""
        count = x_RnC.shape[1]
        here = slice(column, column + count)
        first, second = self.windows
        first.write(column, concat_elu(x_RnC, -1))
        inner_RnC = product(first.read(column, count), self.first_XC, self.plus_RWC[:, here])
        second.write(column, concat_elu(inner_RnC, -1))
        gated_RnC = product(second.read(column, count), self.second_XC, self.told_RWC[:, here])
        return x_RnC + glu(gated_RnC, -1)

    def end_row(self) -> None:
        """Go on to the next row."""
        for window in self.windows:
            window.next_row()


class Attention:
    """A causal attention whose keys and values of earlier positions are kept."""

    def __init__(self, attention: nn.Module, rows: int, positions: int) -> None:
        assert isinstance(attention, CausalAttention)
        self.split, self.to_qkv, self.to_out = attention.split, Pointwise(attention.to_qkv), Pointwise(attention.to_out)
        _, key, value = attention.widths
        like = self.to_qkv.bias_O
        self.k_RJNd = like.new_zeros(rows, attention.heads, positions, key)
        self.v_RJNd = like.new_zeros(rows, attention.heads, positions, value)

    def step(self, x_RnC: Tensor, position: int) -> Tensor:
        """The attention's layer at n positions from one on, counted over the grid."""
        q_RJnd, k_RJnd, v_RJnd = self.split(self.to_qkv(x_RnC))
        count = x_RnC.shape[1]
        self.k_RJNd[:, :, position : position + count] = k_RJnd
        self.v_RJNd[:, :, position : position + count] = v_RJnd
        y_RJnd = torch.zeros_like(v_RJnd)
        skip = int(position == 0)  # the first position has none before it
        if count > skip:
            y_RJnd[:, :, skip:] = self._attend(q_RJnd[:, :, skip:], position + skip)
        return x_RnC + self.to_out(y_RJnd.transpose(1, 2).flatten(2))

    def _attend(self, q_RJnd: Tensor, position: int) -> Tensor:
        count, seen = q_RJnd.shape[2], position + q_RJnd.shape[2] - 1
        k_RJNd, v_RJNd = self.k_RJNd[:, :, :seen], self.v_RJNd[:, :, :seen]
        score_RJnN = q_RJnd @ k_RJNd.transpose(2, 3) * q_RJnd.shape[3] ** -0.5
        if count > 1:
            before_nN = torch.ones(count, seen, dtype=torch.bool, device=q_RJnd.device).tril(position - 1)
            score_RJnN = score_RJnN.masked_fill(~before_nN, -torch.inf)
        return score_RJnN.softmax(3) @ v_RJNd
