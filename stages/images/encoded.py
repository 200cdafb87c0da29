"""A picture before it is decoded: of a kind that is read, and no larger than allowed."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from PIL import Image, UnidentifiedImageError

# PIL's names. It has more, which nobody promises here: PostScript, say, which it hands to a program
KINDS = ("PNG", "JPEG", "MPO", "WEBP", "BMP", "TIFF", "GIF", "PPM", "JPEG2000", "AVIF")
MAX_PIXELS = 89_478_485  # 256 MiB of RGB: PIL's own mark of a decompression bomb
Image.MAX_IMAGE_PIXELS = None  # a reader's own limit decides, and by its own reason
# about damaged tags, which are passed over: a line of Python's own, that names no file of the user's
warnings.filterwarnings("ignore", module=r"PIL\.")


@contextmanager
def opened(data: bytes, limit: int = MAX_PIXELS) -> Iterator[Image.Image]:
    """The encoded image, of no more than `limit` pixels, not decoded yet.

    ValueError tells why it cannot be had: empty, not an image, truncated, more than `limit` pixels, or a PNG of which a
    checksum is wrong (PIL's decoder does not look at them all, and a mask with a flipped bit may hold another hole).
    """
    if not data:
        raise ValueError("empty file")
    try:
        with Image.open(io.BytesIO(data), formats=_known()) as image:
            _guard(image, limit)
            if image.format == "PNG":
                with Image.open(io.BytesIO(data), formats=["PNG"]) as twin:  # no picture can be read after that
                    twin.verify()
            yield image
    except UnidentifiedImageError as error:
        raise ValueError("not an image of a kind that is read here") from error
    except (OSError, SyntaxError, EOFError) as error:  # what PIL's decoders raise on broken data
        raise ValueError(f"unreadable: {error}") from error


@cache
def _known() -> list[str]:
    """Those of KINDS that this PIL has."""
    Image.init()
    return [kind for kind in KINDS if kind in Image.OPEN]


def _guard(image: Image.Image, limit: int) -> None:
    width, height = image.size
    if width * height > limit:
        raise ValueError(f"oversized: {width} x {height} is over the limit of {limit} pixels")
