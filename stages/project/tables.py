"""Tables on disk: parquet, or csv where pyarrow is not installed."""

from collections.abc import Callable, Collection, Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

from stages.contract import UserError
from stages.project.files import atomic

# columns of names: csv does not say that 000123 is no number
TEXT = dict.fromkeys(("key", "image", "source", "name", "sha256", "phash", "method", "variant", "card"), str)
MEND = "run the stage that writes it (dvc repro)"
ENDING = ".parquet" if find_spec("pyarrow") else ".csv"


def write(frame: pd.DataFrame, stem: Path) -> Path:
    """The table as `stem` + .parquet (or .csv), written whole or not at all."""
    path = stem.parent / (stem.name + ENDING)
    with atomic(path) as part:
        if ENDING == ".parquet":
            frame.to_parquet(part, index=False, write_page_checksum=True)
        else:
            frame.to_csv(part, index=False)
    return path


def write_pieces(frames: Iterable[pd.DataFrame], stem: Path) -> Path:
    """The table of which these are the rows, a piece after the other, of which one is in memory; at least one piece."""
    path = stem.parent / (stem.name + ENDING)
    with atomic(path) as part:
        (_write_parquet if ENDING == ".parquet" else _write_csv)(iter(frames), part)
    return path


def _write_parquet(frames: Iterator[pd.DataFrame], path: Path) -> None:
    import pyarrow as pa  # here: it need not be installed
    from pyarrow.parquet import ParquetWriter

    first = pa.Table.from_pandas(next(frames), preserve_index=False)
    with ParquetWriter(path, first.schema, write_page_checksum=True) as writer:
        writer.write_table(first)
        for frame in frames:
            writer.write_table(pa.Table.from_pandas(frame, first.schema, preserve_index=False))


def _write_csv(frames: Iterator[pd.DataFrame], path: Path) -> None:
    for number, frame in enumerate(frames):
        frame.to_csv(path, index=False, mode="a" if number else "w", header=not number)


def read(stem: Path, columns: Collection[str] = (), **of: str) -> pd.DataFrame:
    """The table that `write` left at `stem`; UserError where it is not there, damaged, or lacks one of `columns`.

    With `of`, column=value, the rows of that value; the others are not in memory.
    """
    parquet, csv = (stem.parent / (stem.name + ending) for ending in (".parquet", ".csv"))
    if parquet.is_file() and ENDING == ".parquet":
        only = [(name, "==", value) for name, value in of.items()] or None
        return _read(lambda: pd.read_parquet(parquet, filters=only, page_checksum_verification=True), parquet, columns)
    if csv.is_file():
        return _read(lambda: _chosen(pd.read_csv(csv, dtype=TEXT), of), csv, columns)
    raise UserError(f"{stem}{ENDING}: no such table; {MEND}")


def _chosen(frame: pd.DataFrame, of: dict[str, str]) -> pd.DataFrame:
    for name, value in of.items():
        frame = frame[frame[name] == value]
    return frame.reset_index(drop=True)


def _read(table: Callable[[], pd.DataFrame], path: Path, columns: Collection[str]) -> pd.DataFrame:
    try:
        frame = table()
    except Exception as error:  # pyarrow and pandas raise whatever they meet in bytes that are no table
        raise UserError(f"{path}: damaged; {MEND}") from error
    if missing := [column for column in columns if column not in frame.columns]:
        raise UserError(f"{path}: no column {missing[0]}; {MEND}")
    return frame
