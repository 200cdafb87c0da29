"""Tables on disk: parquet, or csv where pyarrow is not installed."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

from stages.contract import UserError
from stages.project.files import atomic

# columns of names: csv does not say that 000123 is no number
TEXT = dict.fromkeys(("key", "image", "source", "name", "sha256", "phash", "method", "variant", "card"), str)
MEND = "run the stage that writes it (dvc repro)"
ENDING = ".parquet" if find_spec("pyarrow") else ".csv"
PIECE = 4096  # rows of a large table that are in memory at once


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


def read(stem: Path, columns: Collection[str] = ()) -> pd.DataFrame:
    """The table that `write` left at `stem`; UserError where it is not there, damaged, or lacks one of `columns`."""
    path = _there(stem)
    with _telling_damage(path):
        if path.suffix == ".parquet":
            frame = pd.read_parquet(path, page_checksum_verification=True)
        else:
            frame = pd.read_csv(path, dtype=TEXT)
    _refuse_missing(columns, frame.columns, path)
    return frame


def read_pieces(stem: Path, columns: Sequence[str]) -> Iterator[pd.DataFrame]:
    """Those columns, a piece of the rows after the other, of which one is in memory; UserError as above."""
    path = _there(stem)
    with _telling_damage(path):
        yield from (_parquet_pieces if path.suffix == ".parquet" else _csv_pieces)(path, columns)


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


def _there(stem: Path) -> Path:
    """The table's file, as parquet before csv."""
    parquet, csv = (stem.parent / (stem.name + ending) for ending in (".parquet", ".csv"))
    if parquet.is_file() and ENDING == ".parquet":
        return parquet
    if csv.is_file():
        return csv
    raise UserError(f"{stem}{ENDING}: no such table; {MEND}")


def _parquet_pieces(path: Path, columns: Sequence[str]) -> Iterator[pd.DataFrame]:
    from pyarrow.parquet import ParquetFile  # here: it need not be installed

    with ParquetFile(path, page_checksum_verification=True) as file:
        _refuse_missing(columns, file.schema_arrow.names, path)
        for batch in file.iter_batches(PIECE, columns=list(columns)):
            yield batch.to_pandas()


def _csv_pieces(path: Path, columns: Sequence[str]) -> Iterator[pd.DataFrame]:
    with pd.read_csv(path, dtype=TEXT, keep_default_na=False, chunksize=PIECE) as frames:
        for frame in frames:
            _refuse_missing(columns, frame.columns, path)
            yield frame[list(columns)]


@contextmanager
def _telling_damage(path: Path) -> Iterator[None]:
    """What pyarrow and pandas raise in bytes that are no table, and that is whatever they meet, is a UserError."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"{path}: damaged; {MEND}") from error


def _refuse_missing(columns: Collection[str], there: Collection[str], path: Path) -> None:
    if missing := [column for column in columns if column not in there]:
        raise UserError(f"{path}: no column {missing[0]}; {MEND}")
