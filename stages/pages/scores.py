"""The summary tables: one a protocol, rows to compare, estimates with 95 % intervals; unlike cards are refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from stages.pages import buckets, cells, winners, words
from stages.pages.buckets import Bucket
from stages.pages.cells import ARROWS, Cell
from stages.pages.results import Scores
from stages.scoring.protocols import refuse_unlike
from stages.scoring.statistics import MIN_SOURCES

OWN = ("trained_on", "out_of_domain")  # card fields of a row, not of the table


@dataclass(frozen=True)
class Column:
    """One metric, its word, and which way is better: "higher", "lower" or "" for neither."""

    metric: str
    word: words.Word
    better: str

    @property
    def arrow(self) -> str:
        """Which way is better, at a glance."""
        return ARROWS.get(self.better, "")


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
    verdict: winners.Verdict = field(default_factory=lambda: winners.Verdict({}, ""))
    buckets: tuple[Bucket, ...] = ()

    @property
    def few(self) -> bool:
        """Too few independent photographs to name a winner."""
        return self.sources < MIN_SOURCES


def compare(scores: Scores) -> list[Table]:
    """One table a protocol; UserError names the field in which two rows' cards differ."""
    return [_table(scores, str(name), frame) for name, frame in scores.summary.groupby("protocol", sort=False)]


def _table(scores: Scores, protocol: str, frame: pd.DataFrame) -> Table:
    cards = {row: scores.cards[row][protocol] for row in frame["method"].unique()}
    refuse_unlike(cards)
    rows = sorted(cards, key=lambda row: (not cards[row]["trained_on"], row))
    columns = _columns(frame)
    card = {key: value for key, value in cards[rows[0]].items() if key not in OWN}
    long, sources = scores.long[scores.long["protocol"] == protocol], int(frame["sources"].max())
    verdict = winners.judge(long, {c.metric: c.better for c in columns}, card["selection"], sources)
    absent = {(e["method"], e["metric"]): e["reason"] for e in scores.absent if e["protocol"] == protocol}
    return Table(
        protocol,
        columns,
        _rows(frame, cards, rows, columns, absent, verdict.winners),
        card,
        sources,
        images=int(frame["n"].max()),
        holes=_holes(frame),
        groups=_groups(columns),
        verdict=verdict,
        buckets=tuple(buckets.split(long, rows, [c.metric for c in columns], card["selection"])) if len(long) else (),
    )


def _rows(
    frame: pd.DataFrame,
    cards: Mapping[str, Mapping[str, Any]],
    rows: Sequence[str],
    columns: Sequence[Column],
    absent: Mapping[tuple[str, str], str],
    won: Mapping[str, str],
) -> tuple[Row, ...]:
    values = {(entry["method"], entry["metric"]): entry for entry in _entries(frame)}
    drawn = [
        cells.column(
            [values.get((row, metric)) for row in rows],
            [absent.get((row, metric), "") for row in rows],
            won.get(metric),
        )
        for metric in (column.metric for column in columns)
    ]
    return tuple(
        Row(row, tuple(column[i] for column in drawn), _notes(values, row, cards[row])) for i, row in enumerate(rows)
    )


def _entries(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in entry.items()} for entry in frame.to_dict("records")]


def _columns(frame: pd.DataFrame) -> tuple[Column, ...]:
    better = dict(zip(frame["metric"], frame["better"], strict=True))
    shown = sorted((metric for metric in better if metric not in words.HIDDEN), key=words.order)
    return tuple(Column(metric, words.word(metric), better[metric]) for metric in shown)


def _groups(columns: Sequence[Column]) -> tuple[tuple[str, int], ...]:
    names = [column.word.group for column in columns]
    return tuple((name, names.count(name)) for name in dict.fromkeys(names))


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
