"""The summary tables: one a protocol, rows to compare, estimates with 95 % intervals; unlike cards are refused."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from stages import tables
from stages.pages import words
from stages.scoring.protocols import refuse_unlike

ARROWS = {"higher": "↑", "lower": "↓"}
MIN_SOURCES = 20  # below it a better estimate may well be chance, which the page then says
CARDS = ".cards.json"


@dataclass(frozen=True)
class Scores:
    """All methods' scores: the summaries in one frame, cards by row and protocol, and what the runs had to say."""

    summary: pd.DataFrame
    cards: Mapping[str, Mapping[str, Mapping[str, Any]]]
    absent: Sequence[Mapping[str, Any]]
    warnings: Sequence[Mapping[str, Any]]
    cost: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Cell:
    """One figure. low, high and at place its whisker on the column's common scale, 0 to 1."""

    value: float | None
    text: str = "–"
    interval: str = ""
    best: bool = False
    at: float | None = None
    low: float | None = None
    high: float | None = None
    why: str = ""


@dataclass(frozen=True)
class Column:
    """One metric: its word, and the arrow that says which way is better."""

    metric: str
    word: words.Word
    arrow: str


@dataclass(frozen=True)
class Row:
    """One method or variant on one protocol."""

    name: str
    cells: tuple[Cell, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """One protocol's table; `card` is what all its rows share."""

    protocol: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    card: Mapping[str, Any]
    sources: int
    images: int
    holes: str = ""
    groups: tuple[tuple[str, int], ...] = field(default=())

    @property
    def few(self) -> bool:
        """Too few independent photographs to name a winner."""
        return self.sources < MIN_SOURCES


def read(folder: Path) -> Scores:
    """Every method's scores in `folder` (reports/scores); empty where nothing was scored yet."""
    methods = [path.name.removesuffix(CARDS) for path in sorted(folder.glob(f"*{CARDS}"))]
    notes = [json.loads((folder / f"{method}{CARDS}").read_text()) for method in methods]
    frames = [tables.read(folder / f"{method}.summary") for method in methods]
    return Scores(
        summary=pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=["protocol", "method"]),
        cards={row: cards for note in notes for row, cards in note["cards"].items()},
        absent=[entry for note in notes for entry in note["absent"]],
        warnings=[entry for note in notes for entry in note["warnings"]],
        cost=[entry for note in notes for entry in note["cost"]],
    )


def compare(scores: Scores) -> list[Table]:
    """One table a protocol; UserError names the field in which two rows' cards differ."""
    return [_table(scores, str(name), frame) for name, frame in scores.summary.groupby("protocol", sort=False)]


def _table(scores: Scores, protocol: str, frame: pd.DataFrame) -> Table:
    cards = {row: scores.cards[row][protocol] for row in frame["method"].unique()}
    refuse_unlike(cards)
    rows = sorted(cards, key=lambda row: (not cards[row]["trained_on"], row))
    columns = _columns(frame)
    values = {(entry["method"], entry["metric"]): entry for entry in _entries(frame)}
    absent = {(e["method"], e["metric"]): e["reason"] for e in scores.absent if e["protocol"] == protocol}
    cells = [
        _cells([values.get((row, c.metric)) for row in rows], [absent.get((row, c.metric), "") for row in rows])
        for c in columns
    ]
    lines = tuple(
        Row(row, tuple(column[i] for column in cells), _notes(values, row, cards[row])) for i, row in enumerate(rows)
    )
    return Table(
        protocol,
        columns,
        lines,
        {key: value for key, value in cards[rows[0]].items() if key not in {"trained_on", "out_of_domain"}},
        sources=int(frame["sources"].max()),
        images=int(frame["n"].max()),
        holes=_holes(frame),
        groups=_groups(columns),
    )


def _entries(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in entry.items()} for entry in frame.to_dict("records")]


def _columns(frame: pd.DataFrame) -> tuple[Column, ...]:
    better = dict(zip(frame["metric"], frame["better"], strict=True))
    shown = sorted((metric for metric in better if metric not in words.HIDDEN), key=words.order)
    return tuple(Column(metric, words.word(metric), ARROWS.get(better[metric], "")) for metric in shown)


def _groups(columns: Sequence[Column]) -> tuple[tuple[str, int], ...]:
    names = [column.word.group for column in columns]
    return tuple((name, names.count(name)) for name in dict.fromkeys(names))


def _cells(entries: Sequence[Mapping[str, Any] | None], reasons: Sequence[str]) -> list[Cell]:
    given = [entry for entry in entries if entry is not None and math.isfinite(entry["estimate"])]
    ends = [e[end] for e in given for end in ("estimate", "low", "high") if math.isfinite(e[end])]
    low, high = (min(ends), max(ends)) if ends else (0.0, 0.0)
    best = _best(given)
    return [_cell(entry, reason, best, low, high) for entry, reason in zip(entries, reasons, strict=True)]


def _best(entries: Sequence[Mapping[str, Any]]) -> float | None:
    if len(entries) < 2 or entries[0]["better"] not in ARROWS:
        return None
    choose = max if entries[0]["better"] == "higher" else min
    return choose(entry["estimate"] for entry in entries)


def _cell(entry: Mapping[str, Any] | None, reason: str, best: float | None, low: float, high: float) -> Cell:
    if entry is None or not math.isfinite(entry["estimate"]):
        return Cell(None, why=reason)
    value = float(entry["estimate"])
    ends = [float(entry["low"]), float(entry["high"])]
    bounded = all(map(math.isfinite, ends))
    scale = [(end - low) / (high - low) if high > low else 0.5 for end in (value, *ends)]
    return Cell(
        value,
        words.number(value),
        f"{words.number(ends[0])} – {words.number(ends[1])}" if bounded else "",
        value == best,
        scale[0],
        *(scale[1:] if bounded else (None, None)),
    )


def _notes(values: Mapping[tuple[str, str], Mapping[str, Any]], row: str, card: Mapping[str, Any]) -> tuple[str, ...]:
    collapsed = values.get((row, "collapsed"))
    notes = []
    if collapsed is not None and collapsed["estimate"] > 0:
        share = collapsed["estimate"]
        notes.append("one answer" if share == 1 else f"{share:.0%} of images: one answer")
    if card.get("out_of_domain"):
        notes.append("out of domain")
    return tuple(notes)


def _holes(frame: pd.DataFrame) -> str:
    ratios = frame.loc[frame["metric"] == "hole_ratio", "estimate"]
    return f"{ratios.iloc[0]:.0%}" if len(ratios) else ""
