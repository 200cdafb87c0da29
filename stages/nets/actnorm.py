"""Activation normalisation: a scale and a shift a channel, set by the first batch, then learnt (Glow, Sec. 3.1)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from stages.nets.ranks import mean_over_ranks

NARROWEST = 1e-3  # a channel that (nearly) is constant is scaled as if its deviation were this


class ActNorm(nn.Module):
    """z = (x + shift) * exp(log_scale); after the first training batch every channel has mean 0 and deviation 1.

    Whether that batch has been is a buffer, so it is saved and a resumed run keeps what was learnt. Ranks take the
    mean of their statistics, so all set the same values. In eval mode nothing is ever set.
    """

    initialised: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.shift_C = nn.Parameter(torch.zeros(channels))
        self.log_scale_C = nn.Parameter(torch.zeros(channels))
        self.register_buffer("initialised", torch.zeros((), dtype=torch.uint8))
        self._met = False  # this process has trained on a batch: the buffer needs no look (a wait for the device)

    @torch.no_grad()
    def meet(self, x_BCHW: Tensor) -> None:
        """Set shift and scale by this batch, if it is the first one of training."""
        if self._met or not self.training:
            return
        self._met = True
        mean_C = mean_over_ranks(x_BCHW.mean((0, 2, 3)))
        variance_C = mean_over_ranks((x_BCHW - mean_C.view(1, -1, 1, 1)).square().mean((0, 2, 3)))
        first = self.initialised < 1
        self.shift_C.copy_(torch.where(first, -mean_C, self.shift_C))
        self.log_scale_C.copy_(torch.where(first, -variance_C.sqrt().clamp(min=NARROWEST).log(), self.log_scale_C))
        self.initialised.fill_(1)

    def forward(self, x_BCHW: Tensor, condition: Tensor | None = None) -> tuple[Tensor, Tensor]:
        self.meet(x_BCHW)
        z_BCHW = (x_BCHW + self.shift_C.view(1, -1, 1, 1)) * self.log_scale_C.exp().view(1, -1, 1, 1)
        return z_BCHW, self.logdet(x_BCHW)

    def inverse(self, z_BCHW: Tensor, condition: Tensor | None = None) -> Tensor:
        """x of which forward makes z."""
        return z_BCHW * (-self.log_scale_C).exp().view(1, -1, 1, 1) - self.shift_C.view(1, -1, 1, 1)

    def logdet(self, x_BCHW: Tensor) -> Tensor:
        """log |det| of the Jacobian, (B,)."""
        return (self.log_scale_C.sum() * x_BCHW[0, 0].numel()).expand(len(x_BCHW))
