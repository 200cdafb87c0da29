"""Two decoders, one picture: what is no plain JPEG is what any other picture file is."""

import io

import numpy as np
import pytest
from PIL import Image

from stages.images.encoded import MAX_PIXELS
from stages.images.files import decode_rgb
from stages.images.tars.pictures import picture_of
from tests.images.conftest import picture


def encoded(mode: str = "RGB", kind: str = "JPEG", **save: object) -> bytes:
    data = io.BytesIO()
    Image.fromarray(picture(0)).convert(mode).save(data, kind, **save)
    return data.getvalue()


def turned() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


@pytest.mark.parametrize(
    "data",
    [
        *(encoded(), encoded(progressive=True), encoded(subsampling=2), encoded("L"), encoded("CMYK")),
        *(encoded(exif=turned()), encoded(kind="PNG"), encoded("P", "PNG"), encoded(kind="WEBP", lossless=True)),
    ],
)
def test_it_is_the_picture(data: bytes) -> None:
    one, other = picture_of(data, MAX_PIXELS), decode_rgb(data)
    assert one.shape == other.shape and np.abs(one.astype(int) - other).max() <= 2  # of another version of the library
    assert (one.shape[0] > one.shape[1]) == (b"Exif" in data)


@pytest.mark.parametrize("data", [encoded()[:700], encoded()[:30], b"\xff\xd8", b"", encoded("CMYK")[:900]])
def test_damage_is_told(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"unreadable|empty|not an image"):
        picture_of(data, MAX_PIXELS)


def test_too_many_pixels_are_told() -> None:
    with pytest.raises(ValueError, match="oversized"):
        picture_of(encoded(), 100)
