"""What keeps StyleGAN2's generator smooth: the lengths of paths through its styles (Sec. 3.2)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from stages.nets.ranks import mean_over_ranks

DECAY = 0.01  # of the mean path length; StyleGAN2, appendix B


class PathLength(nn.Module):
    """(|J_w' y| - a)^2 for random pictures y: steps in w change the picture alike everywhere; a follows the mean."""

    mean: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(()))

    def forward(self, image_BCHW: Tensor, w_BLD: Tensor) -> Tensor:
        """The penalty, 0-d; `image_BCHW` is a differentiable function of `w_BLD`. Moves the mean on."""
        length_B = lengths(image_BCHW, w_BLD)
        self.mean.lerp_(mean_over_ranks(length_B.detach().mean()), DECAY)
        return (length_B - self.mean).square().mean()


def lengths(image_BCHW: Tensor, w_BLD: Tensor) -> Tensor:
    """|J_w' y| of each picture for y ~ N(0, 1 / pixels): root of the mean over layers of its squared length, (B,)."""
    image_BCHW = image_BCHW.float()
    noise_BCHW = torch.randn_like(image_BCHW) / image_BCHW[0, 0].numel() ** 0.5
    (slope_BLD,) = torch.autograd.grad((image_BCHW * noise_BCHW).sum(), w_BLD, create_graph=True)
    return (slope_BLD.square().sum(2).mean(1) + 1e-12).sqrt()
