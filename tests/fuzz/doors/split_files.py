"""A split file of the user's own (`datasets.NAME.splits`): text lines, csv or parquet, right and wrong."""

import io
from pathlib import Path

import pandas as pd
from hypothesis import strategies as st

from stages.images.files import write_png
from stages.images.layouts import dataset_params, layout
from stages.project import params
from tests.fuzz.damage import damaged
from tests.fuzz.doors.images import picture
from tests.fuzz.verdict import Verdict, of_verb, refuse_halves

INPUTS, SAMPLE = 700, 25
WRONG = (
    "Other images or splits than the rows name; one file in two rows, however it is spelt; a split that is none; a "
    "row without its columns; a file that is not there (told by the rows that were written)."
)
THERE = ("a.png", "b c.png", 'd/é,"q".png', "d/e.png")
PATHS = st.sampled_from([*THERE, "./a.png", "d/../a.png", "no.png", "d", "", ".", "x" * 400, "a.png\x00", "/a.png"])
SPLITS = st.sampled_from(["train", "train", "val", "test", "Train", "", "valid", "train "])
Rows = list[tuple[str, str]]
ENDINGS = ("txt", "csv", "parquet")


def prepare() -> None:
    for name in THERE:
        write_png(Path("pictures") / name, picture())


@st.composite
def hostile(draw: st.DrawFn) -> tuple[str, Rows | None, bytes]:
    """The ending, the rows (None: damaged), and the file's bytes."""
    ending = draw(st.sampled_from(ENDINGS))
    right = [*zip(THERE, ("train", "train", "val", "test"), strict=True)]
    rows = draw(st.one_of(st.just(right), st.lists(st.tuples(PATHS, SPLITS), max_size=4)))
    data = _encoded(rows, ending, draw(st.booleans()))
    return (ending, None, draw(damaged([data]))) if draw(st.booleans()) else (ending, rows, data)


def _encoded(rows: Rows, ending: str, windows: bool) -> bytes:
    frame, data = pd.DataFrame(rows, columns=["path", "split"], dtype=str), io.BytesIO()
    if ending == "parquet":
        frame.to_parquet(data)
        return data.getvalue()
    text = "".join(f"{path} {split}\n" for path, split in rows) if ending == "txt" else frame.to_csv(index=False)
    return b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode() if windows else text.encode()


def knock(given: tuple[str, Rows | None, bytes]) -> Verdict:
    ending, rows, data = given
    Path(f"splits.{ending}").write_bytes(data)
    block = f"{{layout: folder, size: 16, root: pictures, splits: splits.{ending}, shares: {{val: 0.0, test: 0.0}}}}"
    Path("params.yaml").write_text(f"data: {{dataset: d}}\ndatasets:\n  d: {block}\n")
    verdict = of_verb("shard", ["d", "--refresh"], [f"splits.{ending}"])
    refuse_halves()
    if verdict.accepted:
        _refuse_wrong(None if rows is None else _meant(rows, ending))
    elif rows is not None:
        assert not _is_right(rows, ending), verdict.line
    return verdict


def _refuse_wrong(rows: Rows | None) -> None:
    own = dataset_params(params.read(), "d")
    found = [(item.name, item.split) for item in layout("folder").items(own)]
    assert len({(Path("pictures") / name).resolve() for name, _ in found}) == len(found), "one file twice"
    assert all(split in {"train", "val", "test"} for _, split in found)
    assert all((Path("pictures") / name).is_file() for name, _ in found)
    if rows is not None:
        assert found == rows


def _meant(rows: Rows, ending: str) -> Rows:
    """In lines of text what is blank about a row is no part of it."""
    return [(path, split.strip() if ending == "txt" else split) for path, split in rows]


def _is_right(rows: Rows, ending: str) -> bool:
    paths = [path for path, _ in rows]
    told = [path for path, _ in rows if path in THERE]
    splits = {split for _, split in _meant(rows, ending)}
    return bool(rows) and paths == told and len(set(paths)) == len(paths) and splits <= {"train", "val", "test"}
