"""Haar bands of 2 x 2 blocks as an orthogonal matrix over the channels that a squeeze makes of them."""

from __future__ import annotations

import torch
from torch import Tensor

BANDS = (
    (1, 1, 1, 1),
    (1, -1, 1, -1),
    (1, 1, -1, -1),
    (1, -1, -1, 1),
)  # the mean, then differences: across, down, diagonal; each twice as long
OPPONENTS = ((1, 1, 1), (1, 0, -1), (1, -2, 1))  # of RGB: light, red less blue, both less green; not of length 1


def haar(channels: int, opponents: bool) -> Tensor:
    """(4 C, 4 C) in float64: what `Squeeze` makes of C channels -> its bands, a band's C channels together.

    The means come first, the diagonal band last. `opponents`: the C = 3 channels are RGB and become opponent colours.
    """
    bands_BP = torch.tensor(BANDS, dtype=torch.float64) / 2
    axes_OC = torch.tensor(OPPONENTS, dtype=torch.float64) if opponents else torch.eye(channels, dtype=torch.float64)
    axes_OC = axes_OC / axes_OC.norm(dim=1, keepdim=True)
    return torch.einsum("bp,oc->bocp", bands_BP, axes_OC).reshape(4 * channels, 4 * channels)
