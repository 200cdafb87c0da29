"""A sweep's nights: its finished points as they were on a date, in reports/sweeps/<name>/nights/<date>/."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from stages.contract import UserError
from stages.project import tables

FOLDER = "nights"
STAMP = "%Y-%m-%dT%H%M%SZ"
DAY_S = 86_400.0


def of(folder: Path) -> list[Path]:
    """The nights' folders in a sweep's own, in the order of their dates; `points.read` reads one."""
    return sorted(path for path in (folder / FOLDER).glob("[!.]*") if path.is_dir())


def begun(night: Path) -> datetime:
    """When a night's scores were kept; UserError where the folder has another name."""
    try:
        return datetime.strptime(night.name, STAMP).replace(tzinfo=UTC)
    except ValueError as error:
        raise UserError(f"{night}: no night, which is a date as 2026-01-31T030000Z; remove the folder") from error


def curve(folder: Path) -> pd.DataFrame:
    """Every night's summaries of a sweep, with the columns `point` and `night` (days since 1970, UTC)."""
    frames = [
        tables.read(note.with_name(f"{note.stem}.summary")).assign(night=begun(night).timestamp() / DAY_S)
        for night in of(folder)
        for note in sorted(night.glob("[!.]*.json"))
    ]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def alike(curve: pd.DataFrame) -> pd.DataFrame:
    """Of a `curve`, what was measured as on the last night: an entry's rows whose card is its last one's."""
    last = curve.sort_values("night").groupby(["point", "method", "protocol"])["card"].transform("last")
    return curve[curve["card"] == last]


def read_all(folder: Path) -> dict[str, pd.DataFrame]:
    """The `curve` of every sweep below `folder` (reports/sweeps) that has nights, by name."""
    names = sorted({path.parent.name for path in folder.glob(f"*/{FOLDER}")})
    found = {name: curve(folder / name) for name in names}
    return {name: frame for name, frame in found.items() if len(frame)}
