"""How an image is stored: where its bytes lie, and as what they are encoded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from stages.images.pixels import Uint8


@dataclass(frozen=True, slots=True)  # there are two for every image of a dataset
class ByteRange:
    """Where one member's bytes lie: a tar's name, offset and length (length 0: there is no such member)."""

    shard: str
    offset: int
    length: int


def encode(image_HWC: Uint8, kind: Literal["png", "jpg"], quality: int) -> bytes:
    """uint8 RGB (H, W, 3) as PNG or JPEG bytes, the same for the same pixels."""
    if kind == "jpg":
        import simplejpeg  # here, since datasets stored as PNG do without it

        return simplejpeg.encode_jpeg(np.ascontiguousarray(image_HWC), quality, "RGB", "444")
    return encode_png(image_HWC[..., ::-1])


def encode_png(image: Uint8) -> bytes:
    """BGR (H, W, 3) or a label map (H, W) as PNG bytes."""
    done, data = cv2.imencode(".png", np.ascontiguousarray(image))
    assert done
    return data.tobytes()


def decode(data: bytes) -> Uint8:
    """A stored member (PNG or JPEG) as uint8 RGB (H, W, 3)."""
    if data[:2] == b"\xff\xd8":
        import simplejpeg  # here, since datasets stored as PNG do without it

        return simplejpeg.decode_jpeg(data, colorspace="RGB")
    bgr_HWC = np.asarray(cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_COLOR), dtype=np.uint8)
    return np.ascontiguousarray(bgr_HWC[..., ::-1])


def decode_map(data: bytes) -> Uint8:
    """A stored label map as uint8 classes (H, W)."""
    return np.asarray(cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_GRAYSCALE), dtype=np.uint8)
