"""The scores as the report reads them from reports/scores."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from stages.contract import UserError
from stages.evaluation.results import FORMAT
from stages.evaluation.sweeps.points import LONG, SUMMARY
from stages.project import tables
from stages.project.files import visible

CARDS = ".cards.json"
TOLD = {"cards": dict, "absent": list, "warnings": list, "cost": list}  # what such a file must have


@dataclass(frozen=True)
class Scores:
    """All methods' scores: the summaries in one frame, cards by entry and protocol, and what the runs had to say.

    `long` has every value an image and sample; without it nothing is compared pairwise, and no winner named.
    """

    summary: pd.DataFrame
    cards: Mapping[str, Mapping[str, Mapping[str, Any]]]
    absent: Sequence[Mapping[str, Any]]
    warnings: Sequence[Mapping[str, Any]]
    cost: Sequence[Mapping[str, Any]]
    long: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(LONG)))


def read(folder: Path) -> Scores:
    """Every method's scores in `folder` (reports/scores); empty where nothing was scored yet. UserError: older ones."""
    found = [path.name.removesuffix(CARDS) for path in visible(folder, f"*{CARDS}")]
    told = {method: _told(folder / f"{method}{CARDS}", method) for method in found}
    methods = [method for method in found if told[method]["cards"]]  # one without an entry has no table
    notes = [told[method] for method in methods]
    frames = [tables.read(folder / f"{method}.summary", SUMMARY) for method in methods]
    return Scores(
        summary=pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=["protocol", "method"]),
        cards={entry: cards for note in notes for entry, cards in note["cards"].items()},
        absent=[one for note in notes for one in note["absent"]],
        warnings=[one for note in notes for one in note["warnings"]],
        cost=[one for note in notes for one in note["cost"]],
        long=_long([tables.read(folder / method, LONG) for method in methods]),
    )


def read_long(folder: Path) -> pd.DataFrame:
    """Every value in `folder`, of this version or an older one: their columns (LONG) are the same."""
    return _long([tables.read(folder / path.name.removesuffix(CARDS)) for path in sorted(folder.glob(f"*{CARDS}"))])


def _told(path: Path, method: str) -> dict[str, Any]:
    anew = f"score anew (plurifill sample {method}, plurifill benchmark {method})"
    try:
        about: dict[str, Any] = dict(json.loads(path.read_text()))
    except (ValueError, TypeError) as error:
        raise UserError(f"{path}: damaged; {anew}") from error
    if about.get("format") != FORMAT:
        raise UserError(f"{path}: written by another version; {anew}")
    if missing := [name for name, kind in TOLD.items() if not isinstance(about.get(name), kind)]:
        raise UserError(f"{path}: damaged: no {missing[0]} in it; {anew}")
    return about


def _long(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The long tables as one; what it is filtered by again and again as categories, which compare as numbers."""
    if not frames:
        return pd.DataFrame(columns=list(LONG))
    return pd.concat(frames, ignore_index=True).astype(dict.fromkeys(("method", "protocol", "metric"), "category"))
