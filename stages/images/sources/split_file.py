"""A split file of the user's own: which images of a folder are in the dataset, and in which split."""

import csv
import os
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from stages.contract import UserError
from stages.images.dataset import SPLITS
from stages.images.dataset_params import DatasetParams
from stages.images.sources.item import Item
from stages.images.sources.lists import read_lines


class Row(NamedTuple):
    """An image: its place below the root, its split, and what it shares with others (empty: nothing)."""

    path: str
    split: str
    source: str = ""


def listed(params: DatasetParams, root: Path) -> list[Item]:
    """The images of the split file, and no others; UserError names a row that cannot be right."""
    rows = _read(Path(str(params.splits)).expanduser())
    if not rows:
        raise UserError(f"{params.splits}: no image is listed in it; write a row an image, path and split")
    wrong = sorted({row.split for row in rows} - set(SPLITS))
    if wrong:
        raise UserError(f"{params.splits}: split {wrong[0]!r} is not one of {', '.join(SPLITS)}")
    twice = [name for name, count in Counter(os.path.normpath(row.path) for row in rows).items() if count > 1]
    if twice:
        raise UserError(f"{params.splits}: {twice[0]} is listed twice; an image is in one split")
    missing = [row.path for row in rows if not _is_file(root / row.path)]
    if missing:
        raise UserError(f"{params.splits}: {len(missing)} files are not in {root}, the first is {missing[0]}")
    return [Item(row.path, row.split, root, row.source) for row in rows]


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a line that is longer than any name
        return False


def _read(path: Path) -> list[Row]:
    """Every row, with path and split in it."""
    if not path.is_file():
        raise UserError(f"{path}: no such split file; give csv or parquet (path, split), or text lines PATH SPLIT")
    if path.suffix == ".txt":
        return _read_lines(path)
    columns, rows = _read_parquet(path) if path.suffix == ".parquet" else _read_csv(path)
    absent = [column for column in ("path", "split") if column not in columns]
    if absent:
        raise UserError(f"{path}: no column {absent[0]}; it needs path and split (and source, where images share one)")
    places = [columns.index(name) for name in Row._fields if name in columns]
    return [_row(*(values[place] for place in places)) for values in rows]


def _row(path: str, split: str, source: str = "") -> Row:
    return Row(path, sys.intern(split), source)


def _read_lines(path: Path) -> list[Row]:
    rows = [line.rsplit(maxsplit=1) for line in read_lines(path)]
    short = [row for row in rows if len(row) != 2]
    if short:
        raise UserError(f"{path}: line {' '.join(short[0])!r} is not PATH SPLIT")
    return [_row(*row) for row in rows]


def _read_csv(path: Path) -> tuple[list[str], list[list[str]]]:
    """By the csv module, not by pandas, whose text cannot hold names that are no UTF-8, and to which NA is no name."""
    try:
        columns, *rows = list(csv.reader(read_lines(path))) or [[]]
    except csv.Error as error:
        raise UserError(f"{path}: not a csv table ({error}); write it again, with columns path and split") from error
    short = [row for row in rows if len(row) != len(columns)]
    if short:
        raise UserError(f"{path}: row {','.join(short[0])!r} has not the {len(columns)} columns of the first line")
    return columns, rows


def _read_parquet(path: Path) -> tuple[list[str], list[tuple[str, ...]]]:
    try:
        frame = pd.read_parquet(path).astype(str)
        rows = list(frame.itertuples(index=False, name=None))  # only now is the text of a column read
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: not a parquet table ({error}); write it again, or give csv (path, split)") from error
    return [str(column) for column in frame.columns], rows
