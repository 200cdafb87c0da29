"""One image on its way from a source to a shard: decoded, resized, cropped, encoded, hashed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from stages.contract import UserError
from stages.images.appearance import Appearance, appearance_of, sha256_of
from stages.images.dataset_params import DatasetParams
from stages.images.pixels import Uint8
from stages.images.sources.item import Item
from stages.images.stored import decode, encode, encode_png

LONGEST = 65500  # pixels of a side: libjpeg encodes no more


@dataclass(frozen=True)
class Prepared:
    """An image as stored: its pixels (as decoded from `data`), its members' bytes, what tells it from others."""

    item: Item
    image_HWC: Uint8
    data: bytes  # empty for an image that stays where it is
    labels: bytes
    sha256: str  # of the pixels and their shape
    labels_sha256: str  # the same of the label map; empty where there is none
    appearance: Appearance  # of the source's own pixels: train is not cropped as val and test are


@dataclass(frozen=True)
class Refused:
    """An image that cannot be used, and why."""

    item: Item
    reason: str


def prepare(item: Item, params: DatasetParams, classes: int) -> Prepared | Refused:
    """The item as it will be stored; whatever is wrong with its files becomes a reason."""
    try:
        whole_HWC = _decoded(lambda: item.image(params.max_pixels))
        labels_HW = _checked(_decoded(item.labels), classes) if item.labels else None
        image_HWC = fitted(whole_HWC, item.split, params)
        labels_HW = None if labels_HW is None else fitted_map(labels_HW, whole_HWC, item.split, params)
        appearance = appearance_of(whole_HWC)
    except (ValueError, OSError, UserError) as error:
        return Refused(item, str(error))
    data = b"" if item.stays else encode(image_HWC, params.format, params.quality)
    stored_HWC = image_HWC if item.stays or params.format == "png" else decode(data)
    labels, labels_sha256 = (b"", "") if labels_HW is None else (encode_png(labels_HW), sha256_of(labels_HW))
    return Prepared(item, stored_HWC, data, labels, sha256_of(stored_HWC), labels_sha256, appearance)


def fitted(image_HWC: Uint8, split: str, params: DatasetParams) -> Uint8:
    """An image of a source as its split has it: resized, and cropped; ValueError where it cannot be."""
    size = _bounded(stored_size(image_HWC, split, params), image_HWC, params)
    return crop(resize(image_HWC, size, cv2.INTER_AREA), None if _stays_whole(split, params) else params.size)


def fitted_map(labels_HW: Uint8, image_HWC: Uint8, split: str, params: DatasetParams) -> Uint8:
    """The label map of such an image, brought to its very pixels."""
    size = _bounded(stored_size(image_HWC, split, params), image_HWC, params)
    return crop(resize(labels_HW, size, cv2.INTER_NEAREST_EXACT), None if _stays_whole(split, params) else params.size)


def stored_size(image_HWC: Uint8, split: str, params: DatasetParams) -> tuple[int, int]:
    """(height, width) after resizing. Training keeps what a random crop needs; val and test go to the size itself."""
    height, width = image_HWC.shape[:2]
    side = (params.resize.side or params.size) if _stays_whole(split, params) else params.size
    if params.resize.policy == "square":
        return side, side
    if params.resize.policy == "none":
        if min(height, width) < params.size:
            raise ValueError(f"smaller than the size: {width} x {height}, and resize.policy is none")
        return height, width
    scale = side / min(height, width)
    return max(round(height * scale), side), max(round(width * scale), side)


def resize(image_HW: Uint8, size: tuple[int, int], shrinking: int) -> Uint8:
    """To (height, width): by area when shrinking, bicubic when enlarging; maps always to a nearest pixel.

    Label maps are brought to their images' pixels by INTER_NEAREST_EXACT, the pixel at each new one's centre:
    INTER_NEAREST takes the one at its corner, and a map shrunk four times would lie 3 / 8 of a pixel beside its image.
    """
    if image_HW.shape[:2] == size:
        return image_HW
    grows = size[0] > image_HW.shape[0] and shrinking == cv2.INTER_AREA
    resized = cv2.resize(image_HW, size[::-1], interpolation=cv2.INTER_CUBIC if grows else shrinking)
    return np.asarray(resized, dtype=np.uint8)


def crop(image_HW: Uint8, size: int | None) -> Uint8:
    """The centre size x size; None: all of it."""
    if size is None:
        return image_HW
    top, left = ((side - size) // 2 for side in image_HW.shape[:2])
    return image_HW[top : top + size, left : left + size]


def _bounded(size: tuple[int, int], image_HWC: Uint8, params: DatasetParams) -> tuple[int, int]:
    """(height, width) to resize to, unless that is a strip which no file holds, or memory hardly."""
    if max(size) > LONGEST or size[0] * size[1] > params.max_pixels:
        height, width = image_HWC.shape[:2]
        raise ValueError(f"elongated: {width} x {height} would become {size[1]} x {size[0]}; crop it")
    return size


def _decoded(read: Callable[[], Uint8]) -> Uint8:
    """What `read` gives; whatever else a decoder raises on damaged bytes is a ValueError: no file ends a run."""
    try:
        return read()
    except (ValueError, OSError, UserError):
        raise
    except Exception as error:
        raise ValueError(f"unreadable: {type(error).__name__}: {error}") from error


def _stays_whole(split: str, params: DatasetParams) -> bool:
    return split == "train" and params.crop == "random"


def _checked(labels_HW: Uint8, classes: int) -> Uint8:
    if int(labels_HW.max()) >= classes:
        raise ValueError(f"label map: class {int(labels_HW.max())} where there are {classes}")
    return labels_HW
