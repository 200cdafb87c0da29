"""Gradient-domain blending of completions into what is known (Pérez et al. 2003), as pSp's in paper 002, Sec. 5.1.

What is added to a completion is harmonic in the hole and makes up at its contour for what the completion misses there:
gradients stay the completion's, and no seam is left. Solved as it is written, because OpenCV's `seamlessClone` is held
by the frame of a rectangle alone, not by the contour, and near the contour keeps the gradients that stood there before.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array, eye_array, kron
from scipy.sparse.linalg import splu
from torch import Tensor

from stages.images.pixels import Bool, blank, composite


def blended(raw_BKCHW: Tensor, image_BCHW: Tensor, known_B1HW: Tensor) -> Tensor:
    """Completions, in [-1, 1], whose hole has the gradients of the raw ones and, at its contour, the known colours.

    Known pixels are the image's. Where nothing is known, or all is, there is nothing to blend with.
    """
    given = zip(raw_BKCHW.cpu(), blank(image_BCHW, known_B1HW).cpu(), known_B1HW.cpu(), strict=True)
    return torch.stack([_blended(*one) for one in given]).clamp(-1, 1).to(raw_BKCHW.device)


def _blended(raw_KCHW: Tensor, image_CHW: Tensor, known_1HW: Tensor) -> Tensor:
    hole_HW = (known_1HW[0] <= 0).numpy()
    if hole_HW.any() and not hole_HW.all():
        missed_KCHW = (image_CHW - raw_KCHW).double()
        added_PR = _harmonic(missed_KCHW.flatten(2).flatten(0, 1).T.numpy(), hole_HW)
        added_KCHW = torch.from_numpy(added_PR.T.copy()).unflatten(0, raw_KCHW.shape[:2]).view_as(raw_KCHW)
        raw_KCHW = (raw_KCHW + added_KCHW).to(raw_KCHW.dtype)
    return composite(raw_KCHW, image_CHW, known_1HW)


def _harmonic(value_PR: NDArray[np.float64], hole_HW: Bool) -> NDArray[np.float64]:
    """Columns of values of a picture's P pixels with the hole's anew: each is the mean of its neighbours.

    The picture's border has no neighbours beyond it. Every hole that is not the whole picture has a contour, so there
    is one solution.
    """
    height, width = hole_HW.shape
    laplacian_PP = csr_array(kron(eye_array(height), _line(width)) + kron(_line(height), eye_array(width)))
    hole_P = hole_HW.ravel()
    rows_HP, value_PR = laplacian_PP[hole_P], value_PR.copy()
    solve = splu(rows_HP[:, hole_P].tocsc(), permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True}).solve
    value_PR[hole_P] = solve(-(rows_HP[:, ~hole_P] @ value_PR[~hole_P]))
    return value_PR


def _line(pixels: int) -> csr_array:
    """Of a row of pixels: each one times its number of neighbours, less its neighbours."""
    near = diags_array([1.0, 1.0], offsets=[-1, 1], shape=(pixels, pixels))
    return csr_array(diags_array(near.sum(axis=1)) - near)
