"""`plurifill inpaint --edges --labels`: maps in every way that programs store them, and damaged ones."""

import io
from pathlib import Path
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st
from PIL import Image

from stages.contract import NO_CLASS, UserError
from stages.images.edge_levels import DOUBTED
from stages.images.files import write_png
from stages.sampling import maps
from stages.sampling.pairs import Pair
from tests.fuzz.damage import damaged
from tests.fuzz.doors.images import HEIGHT, WIDTH, picture
from tests.fuzz.verdict import Verdict, of_call

INPUTS, SAMPLE = 800, 30
WRONG = (
    "Edges or classes that are not those drawn; edges of two levels neither of which is plainly the fewer, undeclared, "
    "or of 0 and 1; classes that the method does not know, in colours, of 16 bits, or as a JPEG; a map of another "
    "size. A damaged PNG, too, means what was drawn, or nothing."
)
CLASSES = 5
EDGES = ("white on black", "black on white", "one bit", "colour", "white strokes", "black strokes", "0 and 1")
LABELS = ("grey", "palette", "RGB", "16 bits", "jpeg", "a class too many")
EVERY = ("as it is", "as it is", "damaged", "other size")


class Given(NamedTuple):
    """A map's kind, what befell it, the colour that is declared for edges, what was drawn (H, W), and the file."""

    kind: str
    fate: str
    colour: str | None
    drawn_HW: np.ndarray
    data: bytes


def prepare() -> None:
    write_png(Path("i.png"), picture())


@st.composite
def hostile(draw: st.DrawFn) -> Given:
    kind, fate = draw(st.sampled_from(EDGES + LABELS)), draw(st.sampled_from(EVERY))
    colour = draw(st.sampled_from([None, "white", "black"])) if kind in EDGES else None
    drawn_HW = draw(edges() if kind in EDGES else classes())
    if kind == "a class too many":
        drawn_HW[draw(st.integers(0, HEIGHT - 1)), 0] = draw(st.integers(CLASSES, NO_CLASS - 1))
    data = _encoded(kind, drawn_HW[:, :-1] if fate == "other size" else drawn_HW)
    return Given(kind, fate, colour, drawn_HW, draw(damaged([data])) if fate == "damaged" else data)


@st.composite
def edges(draw: st.DrawFn) -> np.ndarray:
    """A block of edges that is neither nothing nor all."""
    rows, columns = (sorted(draw(st.sets(st.integers(0, side), min_size=2, max_size=2))) for side in (HEIGHT, WIDTH))
    drawn_HW = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
    drawn_HW[slice(*rows), slice(*columns)] = 1
    drawn_HW[0, 0] = 0
    drawn_HW[-1, -2] = 1
    return drawn_HW


@st.composite
def classes(draw: st.DrawFn) -> np.ndarray:
    """Stripes of known classes and of unknown ones."""
    stripes = draw(st.lists(st.sampled_from([*range(CLASSES), NO_CLASS]), min_size=HEIGHT, max_size=HEIGHT))
    return np.repeat(np.array(stripes, dtype=np.uint8)[:, None], WIDTH, axis=1)


def _encoded(kind: str, drawn_HW: np.ndarray) -> bytes:
    grey_HW = drawn_HW * np.uint8(255)
    match kind:
        case "white strokes" | "black strokes":
            ink_HW3 = np.full((*drawn_HW.shape, 3), 255 if kind.startswith("white") else 0, dtype=np.uint8)
            image = Image.fromarray(np.dstack([ink_HW3, grey_HW]))
        case "black on white":
            image = Image.fromarray(255 - grey_HW)
        case "white on black" | "one bit":
            image = Image.fromarray(grey_HW).convert("1" if kind == "one bit" else "L")
        case "colour" | "RGB":
            image = Image.fromarray(grey_HW).convert("RGB")
        case "16 bits":
            image = Image.fromarray(drawn_HW.astype(np.uint16))
        case _:
            image = Image.fromarray(drawn_HW)
    if kind == "palette":
        image.putpalette(bytes(range(256)) * 3)
    data = io.BytesIO()
    image.save(data, format="JPEG" if kind == "jpeg" else "PNG")
    return data.getvalue()


def knock(given: Given) -> Verdict:
    Path("m.png").write_bytes(given.data)
    of_edges = given.kind in EDGES
    named = {"edges" if of_edges else "labels": Path("m.png")}
    pair = Pair("i", Path("i.png"), Path("m.png"), **named)
    verdict, read = of_call(lambda: maps.opened(pair, picture(), given.colour, CLASSES), UserError, ["m.png"])
    meant_HW = _edges_meant(given) if of_edges else _classes_meant(given)
    if not verdict.accepted:
        assert given.fate != "as it is" or meant_HW is None, verdict.line
        return verdict
    assert meant_HW is not None and given.fate != "other size", f"{given.kind}, {given.fate}: accepted"
    assert ((read.edges_HW if of_edges else read.labels_HW) == meant_HW).all()
    return verdict


def _edges_meant(given: Given) -> np.ndarray | None:
    """The edges (H, W); None where nobody can tell."""
    drawn_HW = given.drawn_HW.astype(bool)
    white_HW = ~drawn_HW if given.kind in {"black on white", "black strokes"} else drawn_HW
    if given.kind == "0 and 1":
        return None
    if given.colour is not None:
        return white_HW if given.colour == "white" else ~white_HW
    low, high = DOUBTED
    if given.kind.endswith("strokes"):
        return drawn_HW
    return None if low <= white_HW.mean() <= high else white_HW if white_HW.mean() < low else ~white_HW


def _classes_meant(given: Given) -> np.ndarray | None:
    return given.drawn_HW if given.kind in {"grey", "palette"} else None
