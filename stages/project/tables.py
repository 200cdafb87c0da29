"""Tables on disk: parquet, or csv where pyarrow is not installed."""

from importlib.util import find_spec
from pathlib import Path

import pandas as pd

from stages.contract import UserError
from stages.project.files import atomic

# columns of names: csv does not say that 000123 is no number
TEXT = dict.fromkeys(("key", "image", "source", "name", "sha256", "phash", "method", "variant", "card"), str)
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


def read(stem: Path) -> pd.DataFrame:
    """The table that `write` left at `stem`; UserError where there is none, or it is damaged."""
    parquet, csv = (stem.parent / (stem.name + ending) for ending in (".parquet", ".csv"))
    if parquet.is_file() and ENDING == ".parquet":
        try:
            return pd.read_parquet(parquet, page_checksum_verification=True)
        except (OSError, ValueError, KeyError, TypeError) as error:  # what pyarrow raises on bytes that are no table
            raise UserError(f"{parquet}: damaged; run the stage that writes it (dvc repro)") from error
    if csv.is_file():
        return pd.read_csv(csv, dtype=TEXT)
    raise UserError(f"{stem}{ENDING}: no such table; run the stage that writes it (dvc repro)")
