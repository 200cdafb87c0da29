"""A sweep's points beside one another: the curve, and every point's paired difference from a reference point."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import pandas as pd

from stages.contract import UserError
from stages.evaluation.protocols import Selection, signed
from stages.evaluation.scores import per_image
from stages.evaluation.statistics import MIN_SOURCES, benjamini_hochberg, holm, paired
from stages.evaluation.sweeps.points import Point, Sweep

LEVEL = 0.05  # a difference below it, after Holm's adjustment, is beyond chance
HEAD = ("method", "protocol", "metric", "point", "reference")
PAIRS = (*HEAD, "difference", "low", "high", "p", "n", "sources", "detectable", "needed")
# the fields of a card that an override may change, by the key's last word; `digest` covers every field
ON_CARD = {
    "dataset": {"dataset", "masks", "images", "size"},
    "split": {"dataset"},
    "size": {"dataset", "masks", "size"},
    "masks": {"masks"},
    "images": {"images"},
    "samples": {"samples"},
    "seed": set[str](),
    "selection": {"selection"},
    "composite": {"composite"},
    "metrics": set[str](),
}
MEASURING = ("data", "datasets", "masks", "testsets", "protocols")  # blocks of params.yaml that a card tells of


def reference(sweep: Sweep, values: Mapping[str, Any]) -> Point:
    """The point that sets what params.yaml says (`values`) anyway; where there is none, the first."""
    same = [p for p in sweep.points if all(_at(values, key) == value for key, value in p.overrides.items())]
    return (same or list(sweep.points))[0]


def curve(sweep: Sweep) -> pd.DataFrame:
    """Every point's summary, with a column for every key that some point sets."""
    frames = [point.summary.assign(point=point.name, **_columns(sweep, point)) for point in sweep.points]
    return pd.concat(frames, ignore_index=True)


def pairs(sweep: Sweep, against: Point) -> pd.DataFrame:
    """Every point's difference from `against` on the same images, by entry, protocol and metric.

    PAIRS; p_holm and p_bh, adjusted over all differences under a protocol; `sure`: beyond chance by Holm, on enough
    photographs to say so. Set-level metrics have no value an image: no pair.
    """
    rows = [row for point in sweep.points if point is not against for row in _differences(point, against)]
    frame = pd.DataFrame(rows, columns=list(PAIRS))
    by_protocol = frame.groupby("protocol")["p"]
    p_holm, p_bh = (by_protocol.transform(one) if len(frame) else frame["p"] for one in (holm, benjamini_hochberg))
    return frame.assign(p_holm=p_holm, p_bh=p_bh, sure=(p_holm < LEVEL) & (frame["sources"] >= MIN_SOURCES))


def refuse_unlike(sweep: Sweep) -> None:
    """UserError where two points were measured unlike in anything but what the sweep turns."""
    free = {field for key in sweep.varied for field in _may_change(key)}
    seen: dict[tuple[str, str], tuple[str, str]] = {}
    for point in sweep.points:
        for (entry, protocol), rows in point.summary.groupby(["method", "protocol"], sort=False):
            card = str(rows["card"].iloc[0])
            first, other = seen.setdefault((str(entry), str(protocol)), (point.name, card))
            if unlike := _unlike(other, card) - free:
                raise UserError(
                    _refusal(sweep.name, f"{entry} under {protocol}", (first, other), (point.name, card), unlike)
                )


def by(frame: pd.DataFrame, *columns: str) -> dict[tuple[str, ...], dict[str, Any]]:
    """A frame's rows as plain values, by some of its columns (unique together)."""
    rows = [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]
    return {tuple(str(row[column]) for column in columns): row for row in rows}


def _differences(point: Point, against: Point) -> Iterator[dict[str, Any]]:
    theirs = {key: rows for key, rows in against.long.groupby(["method", "protocol"], sort=False)}
    for key, rows in point.long.groupby(["method", "protocol"], sort=False):
        if key not in theirs:
            continue
        for metric in rows["metric"].unique():
            difference = _difference(rows, theirs[key], str(metric))
            if difference and metric != "hole_ratio":
                head = {"method": key[0], "protocol": key[1], "metric": metric}
                yield {**head, "point": point.name, "reference": against.name, **difference}


def _difference(rows: pd.DataFrame, others: pd.DataFrame, metric: str) -> dict[str, float]:
    mine, other = (per_image(frame, metric, _selection(frame)) for frame in (rows, others))
    both = mine.join(other["value"].rename("other"), how="inner")
    if both.empty:
        return {}
    return paired(both["value"], both["other"], both["source"].tolist()).told()


def _selection(rows: pd.DataFrame) -> Selection:
    return cast(Selection, signed(str(rows["card"].iloc[0]))["selection"])


def _columns(sweep: Sweep, point: Point) -> dict[str, Any]:
    """Numbers and words as they are; a list, and a null that the point sets, as text: a missing value is no cell."""
    found = {key: point.overrides.get(key) for key in sweep.keys}
    plain = {key: value for key, value in found.items() if isinstance(value, int | float | str)}
    return {key: plain.get(key, point.text(key) if key in point.overrides else None) for key in found}


def _may_change(key: str) -> set[str]:
    block, leaf = key.split(".")[0], key.split(".")[-1]
    return ON_CARD.get(leaf, set()) | {"digest"} if block in MEASURING else set()


def _unlike(card: str, other: str) -> set[str]:
    mine, theirs = signed(card), signed(other)
    return {field for field, value in mine.items() if value != theirs[field]}


def _refusal(sweep: str, what: str, a: Sequence[str], b: Sequence[str], unlike: set[str]) -> str:
    """One line; a field that only the digest tells of is the seed, the metrics or the networks' weights."""
    shown = sorted(unlike - {"digest"})
    fields = ", ".join(f"{f} is {signed(a[1])[f]} and {signed(b[1])[f]}" for f in shown)
    hidden = f"seed, metrics, holes or networks' weights differ ({signed(a[1])['digest']} and {signed(b[1])['digest']})"
    return f"sweep {sweep}: {a[0]} and {b[0]} cannot be compared: {what}, {fields or hidden}; run one of them again"


def _at(values: Mapping[str, Any], dotted: str) -> Any:
    value: Any = values
    for key in dotted.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
