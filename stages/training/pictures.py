"""Pictures that a part draws of its own work, as PNG files: written when it is evaluated, released at the end."""

from collections.abc import Mapping
from pathlib import Path

import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from stages.images.files import write_png
from stages.images.pixels import to_uint8

SHOWN = 32  # images in one picture; more cannot be looked at
ROW = 8
GAP = 2  # white pixels after each image and each row


def grid(image_B3HW: Tensor) -> NDArray:
    """At most SHOWN images in [-1, 1] as one uint8 picture (H, W, 3), ROW to a row."""
    shown_B3HW = F.pad(image_B3HW[:SHOWN].detach().float().cpu().clamp(-1, 1), (0, GAP, 0, GAP), value=1.0)
    columns = min(ROW, len(shown_B3HW))
    missing = -len(shown_B3HW) % columns
    full_B3HW = torch.cat([shown_B3HW, torch.ones(missing, *shown_B3HW.shape[1:])])
    height, width = full_B3HW.shape[2:]
    cells_RC3HW = full_B3HW.view(-1, columns, 3, height, width)
    picture_HW3 = cells_RC3HW.permute(0, 3, 1, 4, 2).reshape(-1, columns * width, 3)
    return to_uint8(picture_HW3.permute(2, 0, 1)[None])[0].numpy()


def write(folder: Path, pictures: Mapping[str, NDArray]) -> None:
    """Each as `<name>.png`, whole or not at all."""
    for name, picture in pictures.items():
        write_png(folder / f"{name}.png", picture)
