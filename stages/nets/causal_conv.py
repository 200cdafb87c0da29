"""Convolutions that see only what comes before in raster order (PixelCNN++), weight-normalised.

A stack of them keeps two streams: one knows the rows above, the other also what lies to the left in the own row.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm


def concat_elu(x_BCHW: Tensor, axis: int = 1) -> Tensor:
    """ELU of x and of -x, side by side: twice the channels, and no direction is lost."""
    return F.elu(torch.cat([x_BCHW, -x_BCHW], axis))


def normed(inputs: int, outputs: int, kernel: int | tuple[int, int] = 1, gain: float = 1.0, **kind: int) -> nn.Conv2d:
    """A weight-normalised convolution, its initial weights times `gain`."""
    conv = nn.Conv2d(inputs, outputs, kernel, **kind)  # type: ignore[arg-type]
    with torch.no_grad():
        conv.weight.mul_(gain)
    return weight_norm(conv)


class CausalConv2d(nn.Module):
    """A convolution of kernel (rows, columns) over the rows up to the own one, `above` rows and `left` columns back.

    A position sees `rows` rows, the last of them `above` rows higher than itself, and `columns` columns: centred on its
    own where `centred`, else up to its own; all of them `left` columns further to the left.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: tuple[int, int],
        *,
        centred: bool = False,
        above: int = 0,
        left: int = 0,
        gain: float = 1.0,
    ) -> None:
        super().__init__()
        self.conv = normed(inputs, outputs, kernel, gain)
        rows, columns = kernel
        right = columns // 2 if centred else 0
        self.padding = (columns - 1 - right + left, right - left, rows - 1 + above, -above)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        return self.conv(F.pad(x_BCHW, self.padding))


def upper_conv(inputs: int, outputs: int, gain: float = 1.0) -> CausalConv2d:
    """For the stream that knows rows: 2 x 3, the own row and the one above."""
    return CausalConv2d(inputs, outputs, (2, 3), centred=True, gain=gain)


def left_conv(inputs: int, outputs: int, gain: float = 1.0) -> CausalConv2d:
    """For the stream that knows positions: 2 x 2, up to the own column."""
    return CausalConv2d(inputs, outputs, (2, 2), gain=gain)
