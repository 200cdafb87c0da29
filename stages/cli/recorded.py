"""What is recorded of finished scores: of an entry, a sweep's point, and trainings that differ by their seed alone."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from stages.evaluation.protocols import signed
from stages.evaluation.sweeps import comparison, points, seeds
from stages.evaluation.sweeps.points import Point, Sweep
from stages.project import paths, provenance
from stages.project.entries import Entry
from stages.project.releases import read_config
from stages.sampling import inpainters
from stages.tracking import store
from stages.tracking.comparisons import PARAM
from stages.tracking.results import Result, Results


def of_entry(
    into: Results, values: Mapping[str, Any], entry: Entry, cards: Mapping[str, Any], summary: pd.DataFrame
) -> Result:
    """An entry of the benchmark, with what made it."""
    method, data = entry.method, _data(next(iter(cards.values())))
    block = store.flat(inpainters.block(values, entry))
    parts = {part: read_config(paths.model(method, part)) for part in inpainters.module(method).PARENTS}
    trained = into.trained({part: config["fingerprint"] for part, config in parts.items()})
    for run in trained.values():
        into.tag(run, "dvc.lock", provenance.lock())
    return Result(
        str(entry),
        {"entry": str(entry)},
        {**_what(entry, data), **{f"methods.{method}.inpaint.{key}": value for key, value in block.items()}},
        {**_numbers(block), **_scores(summary)},
        {
            **_lineage(provenance.commit(), data, provenance.lock(), trained),
            **{f"weights.{part}": config["sha256"] for part, config in parts.items()},
            **_signatures(summary),
            "method": method,
        },
        files=[paths.scores() / f"{method}.cards.json"],
    )


def of_point(into: Results, swept: Sweep, point: Point) -> Iterator[Result]:
    """A run an entry: most sweeps have one."""
    entries = list(point.summary["method"].unique())
    experiment = str(point.note.get("experiment", ""))
    trained = into.trained(point.note.get("parts", {}))
    for name in entries:
        summary = point.summary[point.summary["method"] == name]
        data = signed(str(summary["card"].iloc[0]))["dataset"]
        lineage = _lineage(str(point.note.get("commit", "unknown")), data, provenance.lock(experiment), trained)
        yield Result(
            point.name if len(entries) == 1 else f"{point.name} {name}",
            {"sweep": swept.name, "point": point.name, "entry": name},
            {**_what(Entry.parse(name), data), **point.overrides},
            {**_numbers(point.overrides), **_scores(summary), **_trainings(point, name)},
            {
                **lineage,
                **_signatures(summary),
                "method": Entry.parse(name).method,
                "dvc.experiment": experiment or "none",
            },
            float(point.note.get("seconds", 0.0)),
        )


def of_seeds(swept: Sweep) -> Iterator[Result]:
    """Trainings that differ by their seed alone as one run: the means, and behind each its spread over the seeds."""
    keys, groups = seeds.others(swept), seeds.groups(swept)
    names = points.short(keys)
    rows = seeds.together(swept, comparison.curve(swept))
    for (entry, _), own in rows.groupby(["method", "values"], sort=False):
        values: tuple[str, ...] = own["values"].iloc[0]
        overrides = groups[values][0].overrides
        set_there = {key: overrides[key] for key in keys if key in overrides}
        text = ",".join(f"{names[key]}={value}" for key, value in zip(keys, values, strict=True)) or "all"
        count = int(own["trainings"].max())
        yield Result(
            f"{text} over {count} seeds" + (f" {entry}" if len(rows["method"].unique()) > 1 else ""),
            {"sweep": swept.name, "seeds": text, "entry": str(entry)},
            {**_whose(Entry.parse(str(entry))), **set_there, "trainings": count},
            {**_numbers(set_there), **_means(own)},
            {"method": Entry.parse(str(entry)).method},
        )


def _means(together: pd.DataFrame) -> dict[str, float]:
    """<protocol>/<metric> over seeds, and its standard deviation, _std."""
    named = {
        f"{row['protocol']}/{row['metric']}{end}": float(row[column])
        for row in together.to_dict("records")
        for end, column in (("", "estimate"), ("_std", "std_seeds"))
    }
    return {name: value for name, value in named.items() if math.isfinite(value)}


def _numbers(values: Mapping[str, Any]) -> dict[str, float]:
    """The numbers among params, by the shortest ending of their keys: `param/alpha`, `param/temperature`."""
    names = points.short(list(values))
    return {PARAM + names[key]: float(value) for key, value in values.items() if points.is_number(value)}


def _scores(summary: pd.DataFrame) -> dict[str, float]:
    """<protocol>/<metric> and its interval's ends; what is not finite is left out."""
    named = {
        f"{protocol}/{metric}{end}": float(figure[column])
        for (protocol, metric), figure in comparison.by(summary, "protocol", "metric").items()
        for end, column in (("", "estimate"), ("_low", "low"), ("_high", "high"))
    }
    return {name: value for name, value in named.items() if math.isfinite(value)}


def _trainings(point: Point, entry: str) -> dict[str, float]:
    """<part>/parameters, seconds, steps and skipped_steps of the trainings that the point came from."""
    found = point.trainings(entry)
    return {f"{part}/{name}": float(one[name]) for part, one in found.items() for name in points.TRAINING}


def _signatures(summary: pd.DataFrame) -> dict[str, str]:
    return {f"card.{name}": str(card) for name, card in summary.groupby("protocol", sort=False)["card"].first().items()}


def _what(entry: Entry, data: str) -> dict[str, str]:
    """Whose scores they are, on what."""
    return {**_whose(entry), "dataset": data.partition("/")[0]}


def _whose(entry: Entry) -> dict[str, str]:
    """As params: MLflow draws over params, and not over tags."""
    return {"entry": str(entry), "method": entry.method}


def _lineage(commit: str, data: str, lock: str, trained: Mapping[str, str]) -> dict[str, str]:
    runs = {f"parent.{part}": run for part, run in trained.items()}
    return {"commit": commit, "data": data, "dvc.lock": lock, **runs}


def _data(card: Mapping[str, Any]) -> str:
    return f"{card['dataset']}/{card['split']}:{card['split_hash']}"
