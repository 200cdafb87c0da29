"""Side pictures of a method (token mask, structure, codes ...) as PNGs: what a person would look at."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stages.images.files import write_png
from stages.images.pixels import to_uint8

SHOWN = 8  # images of a test set whose side pictures are kept
SPREAD = 73  # prime to 256: neighbouring codes get distant greys


def keep(folder: Path, pictures: Mapping[str, Tensor]) -> None:
    """One image's side pictures: `name.png`, or `name-<kk>.png` where there is one a completion.

    (3, H, W) or (H, W) or (1, H, W), with K in front where there is one a completion.
    """
    for name, picture in pictures.items():
        for label, single in _singles(name, picture.detach().cpu()):
            write_png(folder / f"{label}.png", grey_or_rgb(single))


def _singles(name: str, picture: Tensor) -> list[tuple[str, Tensor]]:
    if picture.ndim == 2 or (picture.ndim == 3 and picture.shape[0] in {1, 3}):
        return [(name, picture)]
    return [(f"{name}-{k:02d}", single) for k, single in enumerate(picture)]


def grey_or_rgb(picture: Tensor) -> NDArray[np.uint8]:
    """bool: white where true. Whole numbers (codes, labels): a grey each. float: [-1, 1]."""
    if picture.dtype == torch.bool:
        picture = picture.byte() * 255
    elif not picture.dtype.is_floating_point:
        picture = (picture * SPREAD % 256).byte()
    else:
        planes_CHW = picture if picture.ndim == 3 else picture[None]
        picture = to_uint8(planes_CHW[None])[0].permute(2, 0, 1)
    planes_CHW = picture if picture.ndim == 3 else picture[None]
    return planes_CHW.permute(1, 2, 0).numpy() if planes_CHW.shape[0] == 3 else planes_CHW[0].numpy()
