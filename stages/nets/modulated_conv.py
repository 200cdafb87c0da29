"""Modulated convolution: an image's style scales the filters' inputs (StyleGAN2, Sec. 2.2, eq. 1-3)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stages.nets.equalised import EqualisedLinear
from stages.nets.fir import blur
from stages.nets.precision import full_precision

EPS = 1e-8


class ModulatedConv2d(nn.Module):
    """Filters w s_i / |w s_i| for every image (without demodulation w s_i); called as `conv(x_BCHW, w_BD)`.

    A convolution is linear: to scale an input channel of the maps is to scale that of the filters, and the norm is one
    number for every image and output. So one convolution does for all images. `up`: twice as large. Filters are scaled,
    one group an image, only where that was measured to be faster: for maps much larger than filters, channels first.
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: int, style: int, *, demodulate: bool = True, up: bool = False
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.affine = EqualisedLinear(style, inputs, bias=1.0)
        self.scale, self.demodulate, self.up = self.weight[0].numel() ** -0.5, demodulate, up

    def forward(self, x_BCHW: Tensor, w_BD: Tensor, gain: float = 1.0) -> Tensor:
        """`gain` times the convolution's output."""
        style_BC, weight = self.affine(w_BD).float(), self.weight * self.scale
        norm_BO = gain * self._norm(style_BC, weight)
        if self.up or 2 * weight.numel() > x_BCHW[0].numel() or x_BCHW.is_contiguous(memory_format=torch.channels_last):
            return self._with_maps_scaled(x_BCHW, style_BC, norm_BO, weight)
        return self._with_filters_scaled(x_BCHW, style_BC, norm_BO, weight)

    def _with_maps_scaled(self, x_BCHW: Tensor, style_BC: Tensor, norm_BO: Tensor, weight: Tensor) -> Tensor:
        scaled_BCHW = x_BCHW * style_BC[:, :, None, None].to(x_BCHW.dtype)
        if self.up:
            wide_BOHW = F.conv_transpose2d(scaled_BCHW, weight.transpose(0, 1), stride=2)
            y_BOHW = blur(wide_BOHW, 1, gain=4.0)
        else:
            y_BOHW = F.conv2d(scaled_BCHW, weight, padding=weight.shape[-1] // 2)
        return y_BOHW * norm_BO[:, :, None, None].to(y_BOHW.dtype)

    def _with_filters_scaled(self, x_BCHW: Tensor, style_BC: Tensor, norm_BO: Tensor, weight: Tensor) -> Tensor:
        weight_BOCkk = weight * style_BC[:, None, :, None, None] * norm_BO[:, :, None, None, None]
        x_1GHW, padding = x_BCHW.reshape(1, -1, *x_BCHW.shape[2:]), weight.shape[-1] // 2
        y_1GHW = F.conv2d(x_1GHW, weight_BOCkk.flatten(0, 1), padding=padding, groups=len(x_BCHW))
        return y_1GHW.view(len(x_BCHW), -1, *y_1GHW.shape[2:])

    def _norm(self, style_BC: Tensor, weight: Tensor) -> Tensor:
        """1 / |w s| of every image and output (1 without demodulation), (B, O), in float32."""
        if not self.demodulate:
            return style_BC.new_ones(len(style_BC), len(weight))
        with full_precision(style_BC):
            power_OC = weight.float().square().sum((2, 3))
            return torch.rsqrt(style_BC.square() @ power_OC.T + EPS)
