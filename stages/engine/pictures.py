"""Pictures that a part draws of its own work, as PNG files: written when it is evaluated, released at the end."""

import os
from collections.abc import Mapping
from pathlib import Path

import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torchvision.utils import make_grid

SHOWN = 32  # images in one picture; more cannot be looked at
ROW = 8


def grid(image_B3HW: Tensor) -> NDArray:
    """At most SHOWN images in [-1, 1] as one uint8 picture (H, W, 3), ROW to a row."""
    shown_B3HW = image_B3HW[:SHOWN].detach().float().cpu().clamp(-1, 1)
    picture_3HW = make_grid(shown_B3HW * 0.5 + 0.5, nrow=ROW, padding=2, pad_value=1.0)
    return (picture_3HW.permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()


def write(folder: Path, pictures: Mapping[str, NDArray]) -> None:
    """Each as `<name>.png`, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, picture in pictures.items():
        part = folder / f".{name}.{os.getpid()}"
        Image.fromarray(picture).save(part, format="png")
        part.replace(folder / f"{name}.png")
