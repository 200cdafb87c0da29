"""Pixels inside (float32 in [-1, 1], B C H W) and at the edges (uint8 RGB): every conversion, stated once.

`known_B1HW` is 1 where a pixel is given; `hole_HW` is True where it is missing.
"""

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

LEVELS = 127.5  # grey levels in one unit of [-1, 1]

Uint8 = NDArray[np.uint8]
Bool = NDArray[np.bool_]


def to_float(image_BHWC: Tensor | Uint8) -> Tensor:
    """uint8 RGB (B, H, W, 3) as float32 (B, 3, H, W) in [-1, 1], a batch at a time."""
    image_BCHW = torch.as_tensor(image_BHWC).permute(0, 3, 1, 2)
    return image_BCHW.contiguous().to(torch.float32).div_(LEVELS).sub_(1.0)


def to_uint8(image_BCHW: Tensor) -> Tensor:
    """[-1, 1] as uint8 RGB (B, H, W, 3): clamped, rounded to the nearest level; the inverse of `to_float`."""
    levels_BCHW = image_BCHW.float().add(1.0).mul_(LEVELS).clamp_(0, 255).round_()
    return levels_BCHW.to(torch.uint8).permute(0, 2, 3, 1).contiguous()


def blank(image_BCHW: Tensor, known_B1HW: Tensor) -> Tensor:
    """The image with its hole at 0 (mid-grey). A choice and not a product, so that not even a NaN comes through."""
    return torch.where(known_B1HW > 0, image_BCHW, torch.zeros((), dtype=image_BCHW.dtype, device=image_BCHW.device))


def composite(raw_BCHW: Tensor, image_BCHW: Tensor, known_B1HW: Tensor) -> Tensor:
    """Known pixels from the image, the hole from the raw completion; known pixels are bitwise the image's."""
    return torch.where(known_B1HW > 0, image_BCHW, raw_BCHW)


def shrink_masked(image_BCHW: Tensor, known_B1HW: Tensor, size: int | tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Area resize to `size` that no hole content can enter.

    A small pixel is known only where all pixels of its area are, so an average over known pixels is the plain
    one there; everywhere else the image is blank. Returns (image (B, C, h, w), known (B, 1, h, w) of 0 and 1).
    """
    small_BCHW = F.adaptive_avg_pool2d(blank(image_BCHW, known_B1HW), size)
    hole_B1HW = F.adaptive_max_pool2d((known_B1HW <= 0).to(image_BCHW.dtype), size)
    small_B1HW = 1.0 - hole_B1HW
    return blank(small_BCHW, small_B1HW), small_B1HW
