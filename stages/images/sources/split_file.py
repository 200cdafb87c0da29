"""A split file of the user's own: which images of a folder are in the dataset, and in which split."""

from pathlib import Path

import pandas as pd

from stages.contract import UserError
from stages.images.dataset import SPLITS
from stages.images.dataset_params import DatasetParams
from stages.images.sources.item import Item


def listed(params: DatasetParams, root: Path) -> list[Item]:
    """The images of the split file, and no others; UserError names a row that cannot be right."""
    frame = _read(Path(str(params.splits)).expanduser())
    wrong = sorted(set(frame["split"]) - set(SPLITS))
    if wrong:
        raise UserError(f"{params.splits}: split {wrong[0]!r} is not one of {', '.join(SPLITS)}")
    twice = frame["path"][frame["path"].duplicated()]
    if len(twice):
        raise UserError(f"{params.splits}: {twice.iloc[0]} is listed twice; an image is in one split")
    missing = [name for name in frame["path"] if not (root / name).is_file()]
    if missing:
        raise UserError(f"{params.splits}: {len(missing)} files are not in {root}, the first is {missing[0]}")
    sources = frame["source"] if "source" in frame else frame["path"]
    rows = zip(frame["path"], frame["split"], sources, strict=True)
    return [Item(name, split, root / name, source) for name, split, source in rows]


def _read(path: Path) -> pd.DataFrame:
    """Columns path, split and perhaps source, as text."""
    if not path.is_file():
        raise UserError(f"{path}: no such split file; give csv or parquet (path, split), or text lines PATH SPLIT")
    if path.suffix == ".txt":
        frame = _read_lines(path)
    else:
        frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path, dtype=str)
    absent = [column for column in ("path", "split") if column not in frame]
    if absent:
        raise UserError(f"{path}: no column {absent[0]}; it needs path and split (and source, where images share one)")
    return frame.astype(str)


def _read_lines(path: Path) -> pd.DataFrame:
    rows = [line.rsplit(maxsplit=1) for line in path.read_text().splitlines() if line.strip()]
    short = [row for row in rows if len(row) != 2]
    if short:
        raise UserError(f"{path}: line {' '.join(short[0])!r} is not PATH SPLIT")
    return pd.DataFrame(rows, columns=["path", "split"])
