"""The floor: completions that need no training. Deterministic, so the K samples of an image are one picture.

mean: the mean colour of the known pixels. telea, navier_stokes: OpenCV (Telea 2004; Bertalmio et al. 2001).
biharmonic: scikit-image (Damelin & Hoang 2018).
"""

import time
from collections.abc import Callable, Mapping
from typing import Literal

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from skimage.restoration import inpaint_biharmonic

from stages import contract
from stages.contract import Completions, Request, Trained
from stages.images.pixels import to_float, to_uint8

PARENTS: tuple[str, ...] = ()
SHARED: tuple[str, ...] = ()

Image = NDArray[np.uint8]
Hole = NDArray[np.bool_]


class Params(contract.Params):
    """The algorithm, and how far OpenCV's two look for known pixels."""

    algorithm: Literal["mean", "telea", "navier_stokes", "biharmonic"] = "mean"
    radius: float = 3.0  # pixels; OpenCV's own examples


def mean(image_HWC: Image, hole_HW: Hole, radius: float) -> Image:
    """The hole in the mean colour of the known pixels."""
    filled_HWC = image_HWC.copy()
    filled_HWC[hole_HW] = np.round(image_HWC[~hole_HW].mean(axis=0))
    return filled_HWC


def telea(image_HWC: Image, hole_HW: Hole, radius: float) -> Image:
    """Fast marching from the border inwards."""
    return cv2.inpaint(image_HWC, hole_HW.astype(np.uint8), radius, cv2.INPAINT_TELEA).astype(np.uint8)


def navier_stokes(image_HWC: Image, hole_HW: Hole, radius: float) -> Image:
    """Isophotes continued as a fluid's streamlines."""
    return cv2.inpaint(image_HWC, hole_HW.astype(np.uint8), radius, cv2.INPAINT_NS).astype(np.uint8)


def biharmonic(image_HWC: Image, hole_HW: Hole, radius: float) -> Image:
    """The smoothest surface through the known pixels."""
    filled_HWC = inpaint_biharmonic(image_HWC, hole_HW, channel_axis=2)
    return np.round(filled_HWC.clip(0.0, 1.0) * 255.0).astype(np.uint8)


FILLS: dict[str, Callable[[Image, Hole, float], Image]] = {
    "mean": mean,
    "telea": telea,
    "navier_stokes": navier_stokes,
    "biharmonic": biharmonic,
}


class Classical:
    """One algorithm as an Inpainter; the seeds are not looked at."""

    def __init__(self, params: Params, device: torch.device) -> None:
        self.fill, self.radius, self.device = FILLS[params.algorithm], params.radius, device

    def sample(self, request: Request) -> Completions:
        """Each image is filled once and repeated."""
        begin = time.perf_counter()
        image_BHWC = to_uint8(request.image_BCHW).cpu().numpy()
        hole_BHW = (request.known_B1HW[:, 0] <= 0).cpu().numpy()
        filled = [self.fill(*pair, self.radius) for pair in zip(image_BHWC, hole_BHW, strict=True)]
        raw_B1CHW = to_float(np.stack(filled)).to(self.device)[:, None]
        raw_BKCHW = raw_B1CHW.expand(-1, request.seeds_BK.shape[1], -1, -1, -1)
        return Completions(raw_BKCHW, seconds={"fill": time.perf_counter() - begin})


def build(params: Params, parents: Mapping[str, Trained], device: torch.device) -> Classical:
    """The inpainter of `params.algorithm`."""
    return Classical(params, device)
