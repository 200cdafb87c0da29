"""Edges of images by Canny's operator (scikit-image's), of all of an image or of what is known of it alone."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from skimage.feature import canny
from torch import Tensor

LUMA = (0.2125, 0.7154, 0.0721)  # of red, green and blue in grey; scikit-image's


def edges_of(image_BCHW: Tensor, sigma: float, known_B1HW: Tensor | None = None) -> Tensor:
    """1 on an edge, else 0, (B, 1, H, W); `sigma`: of the smoothing before, in pixels. Images are in [-1, 1].

    With `known_B1HW` neither what the hole holds nor its contour makes an edge: smoothing is over known pixels alone,
    and pixels beside a hole are none.
    """
    if image_BCHW.is_meta:
        return image_BCHW[:, :1].clone()
    red_BHW, green_BHW, blue_BHW = ((image_BCHW.float().cpu() + 1) / 2).unbind(1)
    grey_BHW = (LUMA[0] * red_BHW + LUMA[1] * green_BHW + LUMA[2] * blue_BHW).numpy()  # no sum whose order may change
    masks = [None] * len(grey_BHW) if known_B1HW is None else list(known_B1HW[:, 0].cpu().numpy() > 0)
    found = [_edges(grey_HW, sigma, mask_HW) for grey_HW, mask_HW in zip(grey_BHW, masks, strict=True)]
    return torch.from_numpy(np.stack(found))[:, None].to(image_BCHW)


def _edges(grey_HW: NDArray[np.float32], sigma: float, known_HW: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    return canny(grey_HW, sigma, mask=known_HW)
