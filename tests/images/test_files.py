"""Reading a picture: turned by its EXIF whatever else stands there, refused past the limit that is asked for."""

import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from stages.images.files import decode_rgb
from stages.images.pixels import Uint8

MARKS_HW = np.array([[10, 80, 120], [160, 200, 250]], dtype=np.uint8).repeat(16, 0).repeat(16, 1)  # whole JPEG blocks
VIEWED: dict[
    int, Callable[[Uint8], Uint8]
] = {  # EXIF 2.32, table of tag 0x0112: which side of the scene the stored rows and columns are
    1: lambda a: a,
    2: np.fliplr,
    3: lambda a: np.rot90(a, 2),
    4: np.flipud,
    5: np.transpose,
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.rot90(a, 2).T,
    8: np.rot90,
    9: lambda a: a,  # not an orientation
}
SRATIONAL, SHORT = 10, 3


def exif(orientation: int, *, odd: bool) -> bytes:
    """A TIFF of one directory: the orientation and, where `odd`, a resolution of -1 / 0, of the signed type."""
    tags = [struct.pack("<HHIHH", 0x0112, SHORT, 1, orientation, 0)]
    if odd:
        tags.append(struct.pack("<HHII", 0x011A, SRATIONAL, 1, 8 + 2 + 2 * 12 + 4))
    body = struct.pack("<H", len(tags)) + b"".join(tags) + struct.pack("<I", 0)
    return b"Exif\0\0" + b"II*\0" + struct.pack("<I", 8) + body + struct.pack("<ii", -1, 0)


def photo(kind: str, **save: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(MARKS_HW).save(buffer, kind, **save)
    return buffer.getvalue()


@pytest.mark.parametrize("odd", [False, True])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("orientation", VIEWED)
def test_the_pixels_are_turned(orientation: int, kind: str, odd: bool) -> None:
    lossless = {"lossless": True} if kind == "WEBP" else {}
    seen_HWC = decode_rgb(photo(kind, exif=exif(orientation, odd=odd), **lossless))
    upright_HW = VIEWED[orientation](MARKS_HW)
    assert seen_HWC.shape == (*upright_HW.shape, 3)
    assert np.abs(seen_HWC - upright_HW[..., None].astype(int)).max() <= 2


@pytest.mark.parametrize("orientation", VIEWED)
def test_a_tiff_is_turned_once(orientation: int) -> None:
    seen_HWC = decode_rgb(photo("TIFF", tiffinfo={0x0112: orientation}))
    assert np.array_equal(seen_HWC[..., 0], VIEWED[orientation](MARKS_HW))


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")  # PIL's own word
@pytest.mark.parametrize("tags", [b"Exif\0\0", b"Exif\0\0nonsense", exif(6, odd=True)[:20], b"\xff" * 40])
def test_damaged_tags_turn_nothing_and_end_nothing(tags: bytes) -> None:
    for kind in ("PNG", "JPEG"):
        assert np.abs(decode_rgb(photo(kind, exif=tags))[..., 0] - MARKS_HW.astype(int)).max() <= 2


@pytest.mark.parametrize("limit", [100_000_000, 400_000_000])
def test_the_limit_of_pixels_is_the_readers_own(limit: int) -> None:
    """A PNG's header alone: 200 million pixels, past what PIL allows by itself (179 million)."""
    header = photo("PNG")[:16] + struct.pack(">IIBBBBB", 20_000, 10_000, 1, 0, 0, 0, 0)
    head = header + struct.pack(">I", zlib.crc32(header[12:]))
    told = "oversized: 20000 x 10000 is over the limit of 100000000" if limit < 200_000_000 else "unreadable|truncated"
    with pytest.raises(ValueError, match=told):
        decode_rgb(head + struct.pack(">I", 8) + b"IDAT\0\0\0", limit)
