"""Convolutions that know what they see: ordinary, partial and restrictive, with one call signature.

Paper 000, equations 1-4. Called as `conv(x_BCHW, known_B1HW) -> (y_BCHW, known_B1HW)`, known = 1 where x is given. The
1/sum(M) of equations 1 and 3 is read as sum(1)/sum(M): the constant sum(1) is folded into W, as in the partial
convolution that the paper takes it from, so that a window that is wholly seen gives an ordinary convolution.
"""

from __future__ import annotations

from typing import Literal, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Border = Literal["outside", "hole"]
Window = Literal["kernel", "stride"]


class Convolution(Protocol):
    """Makes a convolution of one kind: odd kernels are padded to keep the size, a kernel equal to its stride is not."""

    def __call__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Module: ...


def padding_of(kernel: int, stride: int) -> int:
    """Zeros a side: none for a kernel that tiles the image, else half a kernel."""
    return 0 if kernel == stride else kernel // 2


def window_counts(known_B1HW: Tensor, kernel: int, stride: int, border: Border) -> tuple[Tensor, Tensor]:
    """(sum(M), sum(1)) of each output's window, both (., 1, h, w) and float.

    One channel is counted, whatever the width of the features: that is what makes a partial convolution cost as
    much as an ordinary one. Zero padding is `outside` the window, or a `hole` in it (as released: borders scale up).
    """
    padding = padding_of(kernel, stride)
    known_B1HW = known_B1HW.float()
    seen_B1HW = F.avg_pool2d(known_B1HW, kernel, stride, padding, divisor_override=1)
    if border == "hole":
        return seen_B1HW, torch.full_like(seen_B1HW[:1], kernel**2)
    inside_11HW = torch.ones_like(known_B1HW[:1])
    return seen_B1HW, F.avg_pool2d(inside_11HW, kernel, stride, padding, divisor_override=1)


class PlainConv2d(nn.Module):
    """An ordinary convolution; `known` goes through untouched, so it is meant for known = None or full resolution."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding_of(kernel, stride))

    def forward(self, x_BCHW: Tensor, known_B1HW: Tensor | None) -> tuple[Tensor, Tensor | None]:
        return self.conv(x_BCHW), known_B1HW


class PartialConv2d(nn.Module):
    """Equations 1-2: scaled by the share that is seen; an output is known where anything is seen."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, border: Border = "outside") -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding_of(kernel, stride))
        self.border = border

    def forward(self, x_BCHW: Tensor, known_B1HW: Tensor) -> tuple[Tensor, Tensor]:
        seen_B1HW, full_B1HW = window_counts(known_B1HW, self.conv.kernel_size[0], self.conv.stride[0], self.border)
        live_B1HW = (seen_B1HW > 0).to(known_B1HW.dtype)
        scale_B1HW = full_B1HW / seen_B1HW.clamp(min=1)
        return _scaled(self.conv, _only(x_BCHW, known_B1HW), scale_B1HW, live_B1HW), live_B1HW


class RestrictiveConv2d(nn.Module):
    """Equations 3-4: an output lives where at least a share `alpha` of its window is seen.

    `window` says of what the share is taken: the n x n `kernel` (the paper), in every layer, or the block of `stride` x
    `stride` pixels that a down-sampling output stands for (as released), where layers of stride 1 only keep the mask.
    The mask changes in down-sampling layers alone. `strict` keeps the paper's X * M and its bias outside the scale;
    without it x enters as it is and the bias is scaled too (as released; masked features then come back through
    whatever stands between two convolutions).
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        stride: int = 1,
        *,
        alpha: float,
        window: Window = "kernel",
        border: Border = "outside",
        strict: bool = True,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding_of(kernel, stride))
        self.alpha, self.window, self.border, self.strict = alpha, window, border, strict

    def forward(self, x_BCHW: Tensor, known_B1HW: Tensor) -> tuple[Tensor, Tensor]:
        kernel, stride = self.conv.kernel_size[0], self.conv.stride[0]
        seen_B1HW, full_B1HW = window_counts(known_B1HW, kernel, stride, self.border)
        live_B1HW = restrict(known_B1HW, kernel, stride, self.alpha, self.window)
        scale_B1HW = full_B1HW / seen_B1HW.clamp(min=1)
        after_B1HW = live_B1HW if stride > 1 else known_B1HW
        if self.strict:
            return _scaled(self.conv, _only(x_BCHW, known_B1HW), scale_B1HW, live_B1HW), after_B1HW
        return self.conv(x_BCHW) * (scale_B1HW * live_B1HW).to(x_BCHW.dtype), after_B1HW


def restrict(known_B1HW: Tensor, kernel: int, stride: int, alpha: float, window: Window) -> Tensor:
    """Where a restrictive convolution's output lives: the condition of equations 3-4, as 0 and 1.

    Padding is outside the window here, so that a wholly known image stays known at every alpha. A window of which
    nothing is seen never lives, also at alpha = 0.
    """
    kernel = stride if window == "stride" else kernel
    if kernel == 1:
        return known_B1HW
    seen_B1HW, full_B1HW = window_counts(known_B1HW, kernel, stride, "outside")
    return ((seen_B1HW >= alpha * full_B1HW) & (seen_B1HW > 0)).to(known_B1HW.dtype)


def _only(x_BCHW: Tensor, known_B1HW: Tensor) -> Tensor:
    return x_BCHW * known_B1HW.to(x_BCHW.dtype)


def _scaled(conv: nn.Conv2d, x_BCHW: Tensor, scale_B1HW: Tensor, live_B1HW: Tensor) -> Tensor:
    """conv(x) * scale + bias where live, 0 elsewhere; in place, so that no second map of features is written."""
    y_BCHW = F.conv2d(x_BCHW, conv.weight, None, conv.stride, conv.padding)
    assert conv.bias is not None
    scale_B1HW, live_B1HW = (scale_B1HW * live_B1HW).to(y_BCHW.dtype), live_B1HW.to(y_BCHW.dtype)
    return y_BCHW.mul_(scale_B1HW).addcmul_(conv.bias.view(1, -1, 1, 1).to(y_BCHW.dtype), live_B1HW)
