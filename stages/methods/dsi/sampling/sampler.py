"""Structures drawn code by code in raster order, every number of the forward pass made once (paper 001, Sec. 3.2).

The upper stream goes a row at a time, the left stream a position at a time; the condition is computed once an image
and shared by its samples; attention keeps its keys and values. Codes that are given, not drawn, go through in one call.

Axes: B images, K samples an image, R = B * K rows, H W the grid, n positions, Q codes to draw from.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from stages.methods.dsi.blocks.structure import OutputLayer, StructureNet
from stages.methods.dsi.sampling.streams import Attention, Layer, Pointwise
from stages.methods.dsi.sampling.windows import Window, matrix
from stages.nets.causal_conv import concat_elu
from stages.nets.seeded import exponential, generators


@dataclass(frozen=True)
class Rule:
    """How a code is drawn from its logits; the paper's by default."""

    temperature: float = 1.0
    top_k: int = 0  # of the likeliest codes; 0: all
    top_p: float = 1.0  # of the likeliest codes that make up this probability; 1: all

    def logits(self, logits_RQ: Tensor) -> Tensor:
        """What is drawn from: minus infinity where a code is out of question."""
        logits_RQ = logits_RQ / self.temperature
        if 0 < self.top_k < logits_RQ.shape[1]:
            least_R1 = logits_RQ.topk(self.top_k).values[:, -1:]
            logits_RQ = logits_RQ.masked_fill(logits_RQ < least_R1, -torch.inf)
        if self.top_p < 1:
            sorted_RQ, order_RQ = logits_RQ.sort(descending=True)
            before_RQ = sorted_RQ.softmax(1).cumsum(1) - sorted_RQ.softmax(1)
            out_RQ = (before_RQ >= self.top_p).scatter(1, order_RQ, before_RQ >= self.top_p)
            logits_RQ = logits_RQ.masked_fill(out_RQ, -torch.inf)
        return logits_RQ


class StructureSampler:
    """Draws structures for one batch of images; made anew for each."""

    def __init__(self, net: StructureNet, condition_BCHW: Tensor, seeds_BK: Tensor, rule: Rule) -> None:
        samples = seeds_BK.shape[1]
        self.net, self.rule, self.owners = net, rule, generators(seeds_BK)
        self.rows, (self.height, self.width) = seeds_BK.numel(), condition_BCHW.shape[2:]
        told_BCHW = concat_elu(condition_BCHW)
        self.upper = [Layer(upper, told_BCHW, samples, 3) for upper, _, _ in net.stack()]
        self.left = [Layer(left, told_BCHW, samples, 2) for _, left, _ in net.stack()]
        positions = self.height * self.width
        self.attentions = [
            Attention(attention, self.rows, positions) if attention is not None else None
            for _, _, attention in net.stack()
        ]
        layers = [layer for layer in net.output if isinstance(layer, OutputLayer)]
        self.output = [(Pointwise(layer.first), Pointwise(layer.second)) for layer in layers]
        self.head = Pointwise(net.head)
        self.codes = Window(condition_BCHW.new_zeros(self.rows, net.codebook_KD.shape[1] + 1), self.width, 3)
        self.enter_upper, self.upper_bias = matrix(net.enter_upper)
        self.enter_row, row_bias = matrix(net.enter_row)
        self.enter_left, left_bias = matrix(net.enter_left)
        self.left_bias = row_bias + left_bias

    @torch.no_grad()
    def draw(self, known_BHW: Tensor | None = None, given_BHW: Tensor | None = None) -> Tensor:
        """codes_RHW. Known positions (bool) keep the given codes; without these every position is drawn."""
        samples = self.rows // len(known_BHW) if known_BHW is not None else 1
        codes_RHW = torch.zeros(self.rows, self.height, self.width, dtype=torch.int64, device=self.head.bias_O.device)
        known_RHW = torch.zeros_like(codes_RHW, dtype=torch.bool)
        if known_BHW is not None and given_BHW is not None:
            known_RHW = known_BHW.repeat_interleave(samples, 0)
            codes_RHW = given_BHW.repeat_interleave(samples, 0).clone()
        for row in range(self.height):
            self._row(row, codes_RHW[:, row], known_RHW[:, row])
        return codes_RHW

    def _row(self, row: int, codes_RW: Tensor, known_RW: Tensor) -> None:
        """Draw a row's codes in place."""
        self._begin(row)
        noise_XQ = exponential(self.owners, [self.width] * self.rows, len(self.head.bias_O))
        noise_RWQ = noise_XQ.unflatten(0, (self.rows, self.width)).to(self.head.bias_O)
        for column, count, drawn in _runs(known_RW):
            if drawn:
                logits_RQ = self.rule.logits(self._logits(self._left(row, column, 1))[:, 0])
                chosen_R = (logits_RQ - noise_RWQ[:, column].log()).argmax(1)
                codes_RW[:, column] = torch.where(known_RW[:, column], codes_RW[:, column], chosen_R)
            self.codes.write(column, self.net.vectors(codes_RW[:, column : column + count]))
            if not drawn:
                self._left(row, column, count)
        for layer in (*self.upper, *self.left):
            layer.end_row()

    def _begin(self, row: int) -> None:
        """The upper stream's whole row; what the left stream's layers read of it; where the left stream enters."""
        upper_RWC = self.upper_bias + self.codes.read(0, self.width) @ self.enter_upper
        self.codes.next_row()
        above_RWC = self.codes.read(0, self.width).unflatten(2, (3, 2, -1))[:, :, :, 0].flatten(2)
        self.row_RWC = self.left_bias + above_RWC @ self.enter_row
        for upper, left in zip(self.upper, self.left, strict=True):
            upper.begin_row(row)
            upper_RWC = upper.step(upper_RWC, 0)
            left.begin_row(row, upper_RWC)

    def _left(self, row: int, column: int, count: int) -> Tensor:
        """The left stream at n positions of the row."""
        beside_RnC = self.codes.held_Rw2C[:, column : column + count].flatten(2)  # the column to the left, both rows
        x_RnC = self.row_RWC[:, column : column + count] + beside_RnC @ self.enter_left
        for layer, attention in zip(self.left, self.attentions, strict=True):
            x_RnC = layer.step(x_RnC, column)
            if attention is not None:
                x_RnC = attention.step(x_RnC, row * self.width + column)
        return x_RnC

    def _logits(self, x_RnC: Tensor) -> Tensor:
        for first, second in self.output:
            x_RnC = x_RnC + second(F.elu(first(F.elu(x_RnC))))
        return self.head(F.elu(x_RnC))


def _runs(known_RW: Tensor) -> Iterator[tuple[int, int, bool]]:
    """(first column, how many, whether drawn): columns that some row draws one by one, others together."""
    drawn_W = (~known_RW).any(0).tolist()
    column = 0
    while column < len(drawn_W):
        count = 1
        while not drawn_W[column] and column + count < len(drawn_W) and not drawn_W[column + count]:
            count += 1
        yield column, count, drawn_W[column]
        column += count
