"""What a causal convolution looks at, kept row by row, so that one more position costs one product.

Axes: R rows (samples), W columns of the grid, n columns at once, C channels in, O out.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from stages.nets.causal_conv import CausalConv2d


class Window:
    """The inputs of a convolution of 2 rows (the one above and the own) and `columns` columns, its first one left.

    A column's two values lie beside each other: the window of a position is one stretch of memory, no copy.
    """

    def __init__(self, like_RC: Tensor, width: int, columns: int) -> None:
        self.columns = columns
        self.held_Rw2C = like_RC.new_zeros(len(like_RC), width + columns - 1, 2, like_RC.shape[1])

    def write(self, column: int, x_RnC: Tensor) -> None:
        """Values of the own row, from a column on."""
        self.held_Rw2C[:, column + 1 : column + 1 + x_RnC.shape[1], 1] = x_RnC

    def read(self, column: int, count: int) -> Tensor:
        """What `count` positions look at, (R, n, columns * 2 * C); for one position a view."""
        if count == 1:
            return self.held_Rw2C[:, column : column + self.columns].flatten(1)[:, None]
        part_Rw2C = self.held_Rw2C[:, column : column + count + self.columns - 1]
        return part_Rw2C.unfold(1, self.columns, 1).permute(0, 1, 4, 2, 3).flatten(2)

    def next_row(self) -> None:
        """The own row is the one above from now on."""
        self.held_Rw2C[:, :, 0] = self.held_Rw2C[:, :, 1]


def matrix(conv: nn.Module) -> tuple[Tensor, Tensor]:
    """(weights in a window's order, (columns * rows * C, O); bias) of a causal convolution."""
    assert isinstance(conv, CausalConv2d) and conv.conv.bias is not None
    return conv.conv.weight.detach().permute(3, 2, 1, 0).flatten(0, 2).contiguous(), conv.conv.bias.detach()


def product(x_RnC: Tensor, matrix_CO: Tensor, plus_RnO: Tensor) -> Tensor:
    """x @ matrix + plus, in one call for one position."""
    if x_RnC.shape[1] == 1:
        return torch.addmm(plus_RnO[:, 0], x_RnC[:, 0], matrix_CO)[:, None]
    return plus_RnO + x_RnC @ matrix_CO
