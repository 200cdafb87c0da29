"""`plurifill inpaint --image`: a person's picture, of any kind."""

import io
from functools import cache
from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from PIL import Image

from stages.images.files import write_png
from tests.fuzz.damage import SIGNATURE, damaged, with_sums
from tests.fuzz.verdict import Verdict, of_verb, refuse_halves

INPUTS, SAMPLE = 1100, 50
WRONG = (
    "A kind of file that no reader promises; a picture of which a quarter or more is cut off; a result whose known "
    "pixels are not those that were encoded: of a whole file, and of a damaged PNG, which has checksums of its own."
)
HEIGHT, WIDTH = 24, 32
OUTPUT = Path("o.png")
KINDS: dict[str, tuple[str, dict[str, object]]] = {
    "png": ("RGB", {"format": "PNG"}),
    "png of alpha": ("RGBA", {"format": "PNG"}),
    "png of grey": ("L", {"format": "PNG"}),
    "png of a palette": ("P", {"format": "PNG", "transparency": 3}),
    "png of 16 bits": ("I;16", {"format": "PNG"}),
    "jpeg": ("RGB", {"format": "JPEG", "quality": 95}),
    "jpeg of a phone": (
        "RGB",
        {"format": "JPEG", "exif": b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06"},
    ),
    "jpeg of print": ("CMYK", {"format": "JPEG"}),
    "gif": ("P", {"format": "GIF"}),
    "bmp": ("RGB", {"format": "BMP"}),
    "tiff": ("RGB", {"format": "TIFF", "compression": "tiff_lzw"}),
    "webp": ("RGB", {"format": "WEBP", "lossless": True}),
    "ppm": ("RGB", {"format": "PPM"}),
    "ico": ("RGB", {"format": "ICO", "sizes": [(32, 24)]}),
    "postscript": ("RGB", {"format": "EPS"}),
    "pcx": ("RGB", {"format": "PCX"}),
}
NOT_PROMISED = ("ico", "postscript", "pcx")
EXACT = ("png", "bmp", "tiff", "webp", "ppm")  # RGB without loss


@cache
def picture() -> np.ndarray:
    """Noise (H, W, 3) in which no two pixels are alike."""
    colours_N = (np.arange(HEIGHT * WIDTH, dtype=np.uint32) * 0x9E3779B1) >> 8  # Knuth's multiplicative hash
    return colours_N.view(np.uint8).reshape(HEIGHT, WIDTH, 4)[..., :3].copy()


def hole() -> np.ndarray:
    hole_HW = np.zeros((HEIGHT, WIDTH), dtype=bool)
    hole_HW[8:16, 8:16] = True
    return hole_HW


@cache
def corpus() -> dict[str, bytes]:
    """A whole file of every kind."""
    return {name: _encoded(mode, options) for name, (mode, options) in KINDS.items()}


def _encoded(mode: str, options: dict[str, object]) -> bytes:
    grey16_HW = np.random.default_rng(1).integers(0, 1 << 16, (HEIGHT, WIDTH), dtype=np.uint16)
    image = Image.fromarray(grey16_HW) if mode == "I;16" else Image.fromarray(picture()).convert(mode)
    data = io.BytesIO()
    image.save(data, **options)  # type: ignore[arg-type]
    return data.getvalue()


def prepare() -> None:
    write_png(Path("m.png"), hole().astype(np.uint8) * 255)
    Path("params.yaml").write_text("methods: {classical: {inpaint: {algorithm: mean}}}\n")


@st.composite
def hostile(draw: st.DrawFn) -> tuple[str, bytes, bool]:
    """The kind, the bytes, and whether they are what a PNG's checksums tell, too."""
    name, whole = draw(st.sampled_from(list(corpus().items())))
    data = draw(damaged([whole], least=0))
    if data[:8] == SIGNATURE and draw(st.booleans()):
        return name, with_sums(data), True
    return name, data, False


def knock(given: tuple[str, bytes, bool]) -> Verdict:
    name, data, forged = given
    Path("i.png").write_bytes(data)
    OUTPUT.unlink(missing_ok=True)
    words = ["--method", "classical", "--image", "i.png", "--mask", "m.png", "--output", str(OUTPUT)]
    verdict = of_verb("inpaint", words, ["i.png"])
    refuse_halves()
    if verdict.accepted:
        _refuse_wrong(name, data, forged)
    else:
        assert not OUTPUT.exists()
        assert data != corpus()[name] or name in NOT_PROMISED, verdict.line
    return verdict


def _refuse_wrong(name: str, data: bytes, forged: bool) -> None:
    """AssertionError where the input should have been refused, or its result is another."""
    whole = corpus()[name]
    assert name not in NOT_PROMISED, f"{name} is accepted"
    assert not whole.startswith(data) or len(data) > 0.75 * len(whole), "a cut picture is accepted"
    with Image.open(OUTPUT) as result:
        done_HWC = np.array(result)
    assert done_HWC.shape[:2] in {(HEIGHT, WIDTH), (WIDTH, HEIGHT)}
    if (name == "png" and not forged) or (name in EXACT and data == whole):
        assert (done_HWC[~hole()] == picture()[~hole()]).all()
