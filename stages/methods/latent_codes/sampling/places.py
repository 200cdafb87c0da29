"""A prior's places at another grid than it was trained on (ours)."""

from __future__ import annotations

from math import isqrt

import numpy as np
import torch
from scipy.interpolate import CubicSpline
from torch import Tensor


def carried(place_ND: Tensor, cells: int) -> Tensor:
    """The places of a square grid of so many cells, the start's first; the very same where that is the trained grid.

    Along each axis a natural cubic spline through the trained cells' centres: what is linear in the places stays so,
    also in the half cell beyond the outermost centres.
    """
    if len(place_ND) == cells + 1:
        return place_ND
    old, new = isqrt(len(place_ND) - 1), isqrt(cells)
    centres = [(np.arange(side) + 0.5) / side for side in (old, new)]
    spline = CubicSpline(centres[0], np.eye(old), bc_type="natural")
    map_HG = torch.from_numpy(spline(centres[1]))
    grid_GGD = place_ND[1:].double().cpu().unflatten(0, (old, old))
    carried_HHD = torch.einsum("hg,wk,gkd->hwd", map_HG, map_HG, grid_GGD)
    return torch.cat([place_ND[:1], carried_HHD.flatten(0, 1).to(place_ND)])
