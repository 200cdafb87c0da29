"""Which files are opened as pictures: kinds that are promised; what is damaged is not another picture."""

import contextlib
import io
import itertools
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from stages.images.files import decode_rgb

NOISE_HWC = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)


def encoded(kind: str, **options: object) -> bytes:
    data = io.BytesIO()
    Image.fromarray(NOISE_HWC).save(data, kind, **options)  # type: ignore[arg-type]
    return data.getvalue()


PNG = encoded("PNG", compress_level=0)  # pixels as they are


@given(st.integers(8, len(PNG) - 1), st.integers(0, 7))
def test_a_wrong_bit_in_a_png_changes_no_pixel_unseen(place: int, bit: int) -> None:
    damaged = bytearray(PNG)
    damaged[place] ^= 1 << bit
    try:
        found_HWC = decode_rgb(bytes(damaged))
    except ValueError:
        return
    assert (found_HWC == NOISE_HWC).all()


def test_no_wrong_bit_of_a_drawing_in_few_levels_is_another_drawing() -> None:
    drawing_HW = np.repeat(np.random.default_rng(0).integers(0, 5, (24, 1), dtype=np.uint8) * 60, 32, axis=1)
    kept = io.BytesIO()
    Image.fromarray(drawing_HW).save(kept, "PNG")
    whole, accepted = kept.getvalue(), 0
    for place, bit in itertools.product(range(8, len(whole)), range(8)):
        damaged = whole[:place] + bytes([whole[place] ^ 1 << bit]) + whole[place + 1 :]
        with contextlib.suppress(ValueError):
            accepted += (decode_rgb(damaged) == drawing_HW[..., None]).all() or pytest.fail(f"bit {bit} of {place}")
    assert accepted < len(whole)


@pytest.mark.parametrize("kind", ["EPS", "ICO", "PCX", "TGA", "SGI"])
def test_kinds_that_are_not_promised_are_not_opened(kind: str) -> None:
    with pytest.raises(ValueError, match="not an image of a kind that is read here"):
        decode_rgb(encoded(kind))


def test_damaged_tags_are_passed_over_without_a_line_of_pythons_own() -> None:
    tags = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06"  # ends within its one entry
    code = "import sys; from stages.images.files import decode_rgb; print(decode_rgb(sys.stdin.buffer.read()).shape)"
    words = [sys.executable, "-W", "default", "-c", code]
    done = subprocess.run(words, input=encoded("JPEG", exif=tags), capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"(24, 32, 3)\n", b"")
