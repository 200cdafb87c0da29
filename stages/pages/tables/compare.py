"""From scores to tables, one a protocol; entries whose cards are unlike are refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from stages.evaluation.protocols import refuse_unlike
from stages.evaluation.sweeps.comparison import by
from stages.metrics.core import lookup
from stages.pages import labels
from stages.pages.tables import buckets, cells, winners
from stages.pages.tables.cells import Cell
from stages.pages.tables.scores import Scores
from stages.pages.tables.table import Column, Row, Table

# card fields of an entry, not of the table
OWN = ("trained_on", "loss_networks", "out_of_domain", "latents", "lossy", "raw")


def compare(scores: Scores) -> list[Table]:
    """One table a protocol; UserError names the field in which two entries' cards differ."""
    return [_table(scores, str(name), frame) for name, frame in scores.summary.groupby("protocol", sort=False)]


def _table(scores: Scores, protocol: str, frame: pd.DataFrame) -> Table:
    cards = {entry: scores.cards[entry][protocol] for entry in frame["method"].unique()}
    refuse_unlike(cards)
    entries = sorted(cards, key=lambda entry: (not cards[entry]["trained_on"], entry))
    columns = _columns(frame)
    card = _card({entry: cards[entry] for entry in entries})
    long, sources = scores.long[scores.long["protocol"] == protocol], int(frame["sources"].max())
    verdict = winners.judge(long, {c.metric: c.better for c in columns}, card["selection"], sources)
    absent = {(a["method"], a["metric"]): a["reason"] for a in scores.absent if a["protocol"] == protocol}
    metrics = [c.metric for c in columns]
    return Table(
        protocol,
        columns,
        _rows(frame, {entry: cards[entry] for entry in entries}, metrics, absent, verdict.winners),
        card,
        sources,
        images=int(frame["n"].max()),
        holes=_holes(frame),
        groups=_groups(columns),
        verdict=verdict,
        buckets=tuple(buckets.split(long, entries, metrics, card["selection"])) if len(long) else (),
    )


def _card(cards: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What the cards share; and, where entries drew something before pixels, its digest by entry."""
    shared = {key: value for key, value in next(iter(cards.values())).items() if key not in OWN}
    own = {entry: card["latents"] for entry, card in cards.items() if card.get("latents")}
    return {**shared, **({"latents": own} if own else {})}


def _rows(
    frame: pd.DataFrame,
    cards: Mapping[str, Mapping[str, Any]],
    metrics: Sequence[str],
    absent: Mapping[tuple[str, str], str],
    won: Mapping[str, str],
) -> tuple[Row, ...]:
    values = by(frame, "method", "metric")
    columns = [
        cells.column(
            [values.get((entry, metric)) for entry in cards],
            [absent.get((entry, metric), "") for entry in cards],
            won.get(metric),
        )
        for metric in metrics
    ]
    return tuple(
        Row(
            entry,
            tuple(_marked(column[i], metric, card) for metric, column in zip(metrics, columns, strict=True)),
            _notes(values.get((entry, "collapsed")), card),
        )
        for i, (entry, card) in enumerate(cards.items())
    )


def _marked(cell: Cell, metric: str, card: Mapping[str, Any]) -> Cell:
    """A method is not judged by the network that trained it: such a value says so."""
    network = lookup.network(metric) or ""
    return (
        replace(cell, trainer=network) if cell.value is not None and network in card.get("loss_networks", ()) else cell
    )


def _columns(frame: pd.DataFrame) -> tuple[Column, ...]:
    better = dict(zip(frame["metric"], frame["better"], strict=True))
    shown = sorted((metric for metric in better if labels.is_column(metric)), key=labels.order)
    return tuple(Column(metric, labels.label(metric), better[metric]) for metric in shown)


def _groups(columns: Sequence[Column]) -> tuple[tuple[str, int], ...]:
    names = [column.label.group for column in columns]
    return tuple((name, names.count(name)) for name in dict.fromkeys(names))


def _notes(collapsed: Mapping[str, Any] | None, card: Mapping[str, Any]) -> tuple[str, ...]:
    notes = []
    if collapsed is not None and collapsed["estimate"] > 0:
        share = collapsed["estimate"]
        notes.append("one answer" if share == 1 else f"{share:.0%} of images: one answer")
    if card.get("out_of_domain"):
        notes.append("out of domain")
    if card.get("lossy"):
        notes.append("from JPEG files")
    if card.get("raw"):
        notes.append(f"raw is {card['raw']}")
    return tuple(notes)


def _holes(frame: pd.DataFrame) -> str:
    ratios = frame.loc[frame["metric"] == "hole_ratio", "estimate"]
    return f"{ratios.iloc[0]:.0%}" if len(ratios) else ""
