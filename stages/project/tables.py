"""Tables on disk: parquet, or csv where pyarrow is not installed."""

from collections.abc import Callable, Collection
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


def read(stem: Path, columns: Collection[str] = ()) -> pd.DataFrame:
    """The table that `write` left at `stem`; UserError where it is not there, damaged, or lacks one of `columns`."""
    parquet, csv = (stem.parent / (stem.name + ending) for ending in (".parquet", ".csv"))
    if parquet.is_file() and ENDING == ".parquet":
        return _read(lambda: pd.read_parquet(parquet, page_checksum_verification=True), parquet, columns)
    if csv.is_file():
        return _read(lambda: pd.read_csv(csv, dtype=TEXT), csv, columns)
    raise UserError(f"{stem}{ENDING}: no such table; {MEND}")


def _read(table: Callable[[], pd.DataFrame], path: Path, columns: Collection[str]) -> pd.DataFrame:
    try:
        frame = table()
    except Exception as error:  # pyarrow and pandas raise whatever they meet in bytes that are no table
        raise UserError(f"{path}: damaged; {MEND}") from error
    if missing := [column for column in columns if column not in frame.columns]:
        raise UserError(f"{path}: no column {missing[0]}; {MEND}")
    return frame
