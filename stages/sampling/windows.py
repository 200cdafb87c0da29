"""Which part of a picture a network sees, and its way back: pictures of any size through a network of one size.

`whole` is the smallest square that holds the picture: what an aligned data set (faces) was trained on. `hole` is a
square around the hole, twice as wide as the hole and at least the network's size: fine detail where the hole is
small. A square may reach over the picture's border; out there nothing is known, so it counts as hole. The square
is brought to the network's size by `shrink_masked`, so no hole content enters; the completion comes back by
bicubic interpolation and is seen in the hole alone. `exact` is the picture itself, for methods of no fixed size.
Maps that guide a completion are seen through the same square, hole and all; out there they are not known either.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from stages.contract import NO_CLASS, UserError
from stages.images import pixels

CONTEXT = 2  # the `hole` square's side in hole sides: a hole fills at most a quarter of what the network sees


class WindowKind(StrEnum):
    """What a network of a fixed size is shown of a picture."""

    whole = "whole"
    hole = "hole"


@dataclass(frozen=True)
class Window:
    """A part of a picture in its pixels; it may begin before the picture (top, left < 0) and end after it."""

    top: int
    left: int
    height: int
    width: int


def exact(hole_HW: NDArray[np.bool_]) -> Window:
    """The picture itself."""
    return Window(0, 0, *hole_HW.shape)


def whole(hole_HW: NDArray[np.bool_]) -> Window:
    """The smallest square that holds the picture, the picture in its middle."""
    height, width = hole_HW.shape
    side = max(height, width)
    return Window((height - side) // 2, (width - side) // 2, side, side)


def around(hole_HW: NDArray[np.bool_], size: int) -> Window:
    """A square of CONTEXT times the hole's bounding box, at least `size`, moved inside the picture; else `whole`."""
    rows, columns = np.flatnonzero(hole_HW.any(axis=1)), np.flatnonzero(hole_HW.any(axis=0))
    extent = max(rows[-1] - rows[0], columns[-1] - columns[0]) + 1
    side = max(size, CONTEXT * int(extent))
    if side > min(hole_HW.shape):
        return whole(hole_HW)
    corners = [
        min(max(int(line[0] + line[-1] + 1 - side) // 2, 0), length - side)
        for line, length in zip((rows, columns), hole_HW.shape, strict=True)
    ]
    return Window(corners[0], corners[1], side, side)


def kind(name: str) -> str:
    """The name of a kind of window, `whole` or `hole`; UserError for another one."""
    if name not in set(WindowKind):
        raise UserError(f"--window {name}: choose whole or hole")
    return name


def choose(kind: str, hole_HW: NDArray[np.bool_], size: int | None) -> Window:
    """The window of that kind for a network of `size`; a network of any size (None) sees the picture itself."""
    if size is None:
        return exact(hole_HW)
    return whole(hole_HW) if kind == "whole" else around(hole_HW, size)


def see(
    image_HWC: NDArray[np.uint8], hole_HW: NDArray[np.bool_], window: Window, size: int | None
) -> tuple[Tensor, Tensor]:
    """What a network of `size` (None: any) is given: image (1, 3, h, w) with blank holes, known (1, 1, h, w)."""
    image_BCHW = pixels.to_float(image_HWC[None].copy())  # a decoder's pixels are read-only
    known_B1HW = torch.from_numpy(~hole_HW)[None, None].to(image_BCHW.dtype)
    padding = _padding(hole_HW.shape, window)
    image_BCHW = F.pad(pixels.blank(image_BCHW, known_B1HW), padding)
    return pixels.shrink_masked(image_BCHW, F.pad(known_B1HW, padding), size or (window.height, window.width))


def see_edges(edges_HW: NDArray[np.bool_], window: Window, size: int | None) -> tuple[Tensor, Tensor]:
    """An edge map as a network of `size` is given it, and its mask: (1, 1, h, w) both.

    A small pixel is an edge where its area holds one, since thin lines would be averaged away; it is known where all of
    its area lies in the picture.
    """
    padding, seen = _padding(edges_HW.shape, window), size or (window.height, window.width)
    edges_B1HW = torch.from_numpy(edges_HW)[None, None].float()
    outside_B1HW = F.pad(torch.zeros_like(edges_B1HW), padding, value=1.0)
    return F.adaptive_max_pool2d(F.pad(edges_B1HW, padding), seen), 1.0 - F.adaptive_max_pool2d(outside_B1HW, seen)


def see_labels(labels_HW: NDArray[np.uint8], window: Window, size: int | None) -> tuple[Tensor, Tensor]:
    """A label map as a network of `size` is given it, classes (1, h, w), and its mask (1, 1, h, w).

    A small pixel has the class of its centre; it is known where that lies in the picture and is not NO_CLASS.
    """
    padded_HW = F.pad(torch.from_numpy(labels_HW.copy()).long(), _padding(labels_HW.shape, window), value=NO_CLASS)
    rows, columns = (_centres(side, size or side) for side in (window.height, window.width))
    labels_BHW = padded_HW[rows][:, columns][None]
    return labels_BHW, (labels_BHW != NO_CLASS)[:, None].float()


def back(raw_KCHW: Tensor, image_HWC: NDArray[np.uint8], hole_HW: NDArray[np.bool_], window: Window) -> Tensor:
    """Completions as uint8 (K, H, W, 3) of the picture's own size; known pixels are the picture's, untouched."""
    seen, raw_KCHW = (window.height, window.width), raw_KCHW.float().cpu()
    if raw_KCHW.shape[-2:] != seen:
        raw_KCHW = F.interpolate(raw_KCHW, seen, mode="bicubic", align_corners=False)
    raw_KHWC = pixels.to_uint8(F.pad(raw_KCHW, [-extra for extra in _padding(hole_HW.shape, window)]))
    hole_KHW1 = torch.from_numpy(hole_HW)[None, :, :, None]
    return torch.where(hole_KHW1, raw_KHWC, torch.from_numpy(image_HWC.copy())[None])


def _centres(side: int, size: int) -> Tensor:
    """Of `size` equal parts of a side's pixels, the pixel in which each part's centre lies."""
    return (2 * torch.arange(size) + 1) * side // (2 * size)


def _padding(shape: tuple[int, ...], window: Window) -> list[int]:
    # F.pad's order: left, right, top, bottom; a negative number crops
    right, bottom = window.left + window.width - shape[1], window.top + window.height - shape[0]
    return [-window.left, right, -window.top, bottom]
