"""Columns are what their rows are, by position; a split's are those of its rows, in order, wherever pieces end."""

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as some

from stages.contract import UserError
from stages.images.columns import NUMBERS, TEXTS, Rows, Texts
from stages.images.stored import ByteRange
from stages.project import tables

TEXT = some.text(some.characters(codec="utf-8"), max_size=5)


@given(some.lists(TEXT), some.lists(TEXT), some.slices(9), some.integers(-9, 9))
def test_texts_are_a_sequence(first: list[str], more: list[str], part: slice, place: int) -> None:
    texts, plain = Texts(first), [*first, *more]
    texts.extend(more)
    assert list(texts) == plain and texts[part] == plain[part] and len(texts) == len(plain)
    assert all(texts.index(text) == plain.index(text) and text in texts for text in plain)
    if -len(plain) <= place < len(plain):
        assert texts[place] == plain[place]
    else:
        with pytest.raises(IndexError):
            texts[place]


def frame(count: int) -> pd.DataFrame:
    """Rows of two splits, in tars that come in no order."""
    columns = {name: [f"{name} é {row}" for row in range(count)] for name in TEXTS}
    columns |= {name: [row * (place + 1) for row in range(count)] for place, name in enumerate(NUMBERS)}
    shards = [("b.tar", "c.tar", "a.tar")[row * 3 // count] for row in range(count)]
    return pd.DataFrame({**columns, "split": ["train", "train", "val"] * (count // 3), "shard": shards})


@pytest.mark.parametrize("ending", [".parquet", ".csv"])
@pytest.mark.parametrize("piece", [1, 7, 1000])
def test_a_splits_rows_are_read_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending, piece) -> None:
    monkeypatch.setattr(tables, "PIECE", piece)
    monkeypatch.setattr(tables, "ENDING", ending)
    whole = frame(30)
    tables.write_pieces((whole[start : start + 11] for start in range(0, 30, 11)), tmp_path / "index")
    rows, val = Rows.read(tmp_path / "index", "val"), whole[whole["split"] == "val"]
    assert {name: list(rows.texts[name]) for name in TEXTS} == {name: val[name].tolist() for name in TEXTS}
    assert {name: rows.numbers(name).tolist() for name in NUMBERS} == {name: val[name].tolist() for name in NUMBERS}
    places = zip(val["shard"], val["labels_offset"], val["labels_length"], strict=True)
    assert [rows.ranges("labels_")[place] for place in range(10)] == [ByteRange(*place) for place in places]
    assert rows.ranges().tars == ["a.tar", "b.tar", "c.tar"]
    assert tables.read(tmp_path / "index").equals(whole) or ending == ".csv"


def test_a_column_that_is_missing_is_told(tmp_path: Path) -> None:
    tables.write(frame(3).drop(columns="width"), tmp_path / "index")
    with pytest.raises(UserError, match=r"index\.parquet: no column width; run the stage"):
        Rows.read(tmp_path / "index", "val")
