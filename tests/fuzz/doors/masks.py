"""`plurifill inpaint --mask`: masks in every way that programs store them, and damaged ones."""

import io
from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from PIL import Image

from stages.images.files import write_png
from tests.fuzz.damage import damaged
from tests.fuzz.doors.images import HEIGHT, OUTPUT, WIDTH, picture
from tests.fuzz.verdict import Verdict, of_verb, refuse_halves

INPUTS, SAMPLE = 600, 25
WRONG = (
    "A hole that is not the one drawn (told by the pixels that the result changes: in the image no two are alike); no "
    "hole or nothing but hole; a mask of 0 and 1. A damaged PNG, too, means what was drawn, or nothing."
)
KINDS = ("L", "1", "P", "RGB", "RGBA", "I;16", "white strokes", "black strokes", "0 and 1", "damaged")
Given = tuple[str, str, np.ndarray, bytes]


def prepare() -> None:
    write_png(Path("i.png"), picture())
    Path("params.yaml").write_text("methods: {classical: {inpaint: {algorithm: mean}}}\n")


@st.composite
def hostile(draw: st.DrawFn) -> Given:
    """The kind, what is declared, what is drawn (H, W), and the file's bytes."""
    kind, declared = draw(st.sampled_from(KINDS)), draw(st.sampled_from(["white", "black"]))
    rows, columns = (sorted(draw(st.tuples(*[st.integers(0, side)] * 2))) for side in (HEIGHT, WIDTH))
    drawn_HW = np.zeros((HEIGHT, WIDTH), dtype=bool)
    drawn_HW[slice(*rows), slice(*columns)] = True
    data = _encoded(kind, drawn_HW)
    return kind, declared, drawn_HW, draw(damaged([data])) if kind == "damaged" else data


def _encoded(kind: str, drawn_HW: np.ndarray) -> bytes:
    grey_HW = np.where(drawn_HW, 255, 0).astype(np.uint8)
    if kind.endswith("strokes"):
        ink_HW3 = np.full((*drawn_HW.shape, 3), 255 if kind.startswith("white") else 0, dtype=np.uint8)
        image = Image.fromarray(np.dstack([ink_HW3, grey_HW]))
    elif kind == "I;16":
        image = Image.fromarray(grey_HW.astype(np.uint16) * 257)
    else:
        image = Image.fromarray(grey_HW // 255 if kind == "0 and 1" else grey_HW)
        image = image.convert(kind) if kind in {"1", "P", "RGB", "RGBA"} else image
    data = io.BytesIO()
    image.save(data, format="PNG")
    return data.getvalue()


def knock(given: Given) -> Verdict:
    kind, declared, drawn_HW, data = given
    Path("m.png").write_bytes(data)
    OUTPUT.unlink(missing_ok=True)
    files = ["--image", "i.png", "--mask", "m.png", "--output", str(OUTPUT)]
    verdict = of_verb("inpaint", ["--method", "classical", "--hole", declared, *files], ["m.png"])
    refuse_halves()
    hole_HW = _meant(kind, declared, drawn_HW)
    if not verdict.accepted:
        assert not OUTPUT.exists()
        assert kind in {"damaged", "0 and 1"} or hole_HW.all() or not hole_HW.any(), verdict.line
    else:
        _refuse_wrong(kind, hole_HW)
    return verdict


def _meant(kind: str, declared: str, drawn_HW: np.ndarray) -> np.ndarray:
    """The hole: what is drawn in the declared colour; of strokes what is drawn, but for white ones and black holes."""
    if kind == "black strokes":
        return drawn_HW
    return drawn_HW if declared == "white" else ~drawn_HW


def _refuse_wrong(kind: str, hole_HW: np.ndarray) -> None:
    assert hole_HW.any() and not hole_HW.all(), "no hole, or nothing but hole, is accepted"
    assert kind != "0 and 1", "a mask of 0 and 1 is accepted"
    with Image.open(OUTPUT) as result:
        changed_HW = (np.array(result) != picture()).any(axis=-1)
    assert (changed_HW == hole_HW).all()
