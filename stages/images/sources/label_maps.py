"""Label maps as PNG files: a class a pixel."""

import os
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from stages.images.encoded import opened
from stages.images.pixels import Uint8
from stages.images.sources.item import Item


def with_map(item: Item, maps: Path | None, root: Path) -> Item:
    """The item with the label map of its file's name under `root`, where there is a folder of maps."""
    if maps is None:
        return item
    path = (maps / os.path.relpath(item.path, root)).with_suffix(".png")
    if not path.exists() and path.with_suffix(".PNG").exists():
        path = path.with_suffix(".PNG")
    return replace(item, labels=partial(read_map, path), beside=(path,))


def read_map(path: Path) -> Uint8:
    """A label map's own values as uint8 (H, W): a grey or palette PNG; ValueError where it is neither."""
    try:
        return map_of(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ValueError(f"label map {path.name}: {error}") from error


def map_of(data: bytes) -> Uint8:
    """A label map's bytes as uint8 (H, W); ValueError as above, without a name."""
    with opened(data) as image:
        return _classes(image)


def _classes(image: Image.Image) -> Uint8:
    if image.format != "PNG":  # JPEG would make classes of its own
        raise ValueError(f"{image.format} where a PNG is expected")
    if image.mode not in {"L", "P", "1"}:
        raise ValueError(f"mode {image.mode} where one class a pixel is expected")
    return np.asarray(image, dtype=np.uint8)
