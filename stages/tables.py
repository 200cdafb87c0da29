"""Tables on disk: parquet, or csv where pyarrow is not installed."""

import os
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

from stages.contract import UserError

ENDING = ".parquet" if find_spec("pyarrow") else ".csv"


def write(frame: pd.DataFrame, stem: Path) -> Path:
    """The table as `stem` + .parquet (or .csv), written whole or not at all."""
    path = stem.parent / (stem.name + ENDING)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    frame.to_parquet(part, index=False) if ENDING == ".parquet" else frame.to_csv(part, index=False)
    part.replace(path)
    return path


def read(stem: Path) -> pd.DataFrame:
    """The table that `write` left at `stem`; UserError where there is none."""
    for ending, reader in ((".parquet", pd.read_parquet), (".csv", pd.read_csv)):
        path = stem.parent / (stem.name + ending)
        if path.is_file() and (ending == ".csv" or ENDING == ".parquet"):
            return reader(path)
    raise UserError(f"{stem}{ENDING}: no such table; run the stage that writes it (dvc repro)")
