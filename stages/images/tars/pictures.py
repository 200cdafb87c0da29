"""A picture of somebody else's tar, decoded: as any picture file, plain JPEGs in two thirds of the time.

A training decodes each anew in every epoch; where they are indexed they are decoded in the same way.
"""

from __future__ import annotations

import simplejpeg

from stages.images.files import decode_rgb
from stages.images.pixels import Uint8

JPEG = b"\xff\xd8"
ORIENTED = (b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/")  # what may say that the picture is to be turned


def picture_of(data: bytes, limit: int) -> Uint8:
    """Encoded bytes as upright uint8 RGB (H, W, 3), of `limit` pixels at most; ValueError as `decode_rgb`."""
    try:
        if _is_plain(data, limit):
            return simplejpeg.decode_jpeg(data, colorspace="RGB")
    except ValueError:
        pass  # damaged, or odd: the other decoder bears more, or tells what is wrong
    return decode_rgb(data, limit)


def _is_plain(data: bytes, limit: int) -> bool:
    if data[:2] != JPEG or any(mark in data for mark in ORIENTED):
        return False
    height, width, colours, _ = simplejpeg.decode_jpeg_header(data)
    return colours == "YCbCr" and height * width <= limit
