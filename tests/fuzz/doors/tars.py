"""A tar of somebody else's (layout `tars`): damaged, cut, compressed, no tar at all."""

import gzip
import io
import tarfile
from pathlib import Path

from hypothesis import strategies as st

from stages.contract import UserError
from stages.images.tars.contents import contents_of
from stages.images.tars.copies import Copies
from tests.fuzz.damage import TEXTS, damaged
from tests.fuzz.verdict import Verdict, of_call, refuse_halves

INPUTS, SAMPLE = 600, 25
WRONG = "A tar that ends early; a place of an image that lies outside of the file (told by the file's length)."
PLACE = Path("given.tar")


def prepare() -> None:
    """Nothing is beside it."""


@st.composite
def hostile(draw: st.DrawFn) -> bytes:
    """The file's bytes."""
    names = draw(
        st.lists(st.one_of(TEXTS, st.sampled_from(["a.jpg", "a.json", "b/c.png", "b/c.labels.png", "../d.jpg"])))
    )
    data = _tar([name for name in names if "\x00" not in name])
    kind = draw(st.sampled_from(["whole", "damaged", "damaged", "cut", "compressed", "other"]))
    if kind == "cut":
        return data[: draw(st.integers(0, len(data) - 1))]
    if kind == "other":
        return draw(st.binary(max_size=2000))
    return {"whole": data, "compressed": gzip.compress(data)}.get(kind) or draw(damaged([data]))


def _tar(names: list[str]) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        for number, name in enumerate(names):
            header = tarfile.TarInfo(name)
            header.size = 300 * number
            tar.addfile(header, io.BytesIO(bytes(range(1, 101)) * 3 * number))
    return data.getvalue()


def knock(given: bytes) -> Verdict:
    PLACE.write_bytes(given)
    copies = Copies(Path("tars/copies"), 1e9)
    verdict, found = of_call(lambda: contents_of(str(PLACE), copies, "labels.png"), UserError, [str(PLACE)])
    refuse_halves()
    if found is not None:
        tar, samples = found
        assert tar.size == len(given)
        ends = [at.offset + at.length for sample in samples for at in (sample.image, sample.labels)]
        assert all(0 <= end <= len(given) - 512 for end in ends), f"{ends} in {len(given)} bytes"
    return verdict
