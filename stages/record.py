"""`plurifill record`: the finished benchmark in MLflow, a run a row; with --sweep, a sweep's points below their run.

A run has the final scores under every protocol (<protocol>/<metric>, _low, _high), the cards' signatures, the params
that made it, numbers among them as metrics too (MLflow filters and draws metrics only as numbers), and its lineage:
commit, dvc.lock, data, and the training runs of its parts. Recording again changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from stages import inpainters, places, provenance
from stages.contract import UserError
from stages.engine import params as settings
from stages.engine.lock import held
from stages.engine.params import validate
from stages.engine.release import read_config
from stages.engine.tracking import store
from stages.engine.tracking.results import Result, Results
from stages.engine.tracking.store import TrackParams
from stages.pages import results as scores
from stages.scoring.protocols import signed
from stages.sweeps import comparison, points
from stages.sweeps.points import Point, Sweep

PATIENCE_S = 300.0  # points that finish together are recorded one after the other


def main(
    sweep: Annotated[
        str, typer.Option(help="a sweep in reports/sweeps; default: the benchmark in reports/scores")
    ] = "",
    point: Annotated[str, typer.Option(help="with --sweep: this point alone")] = "",
    params: Annotated[Path, typer.Option(help="the params file")] = Path("params.yaml"),
) -> None:
    """Write finished scores to MLflow; what is there already stays as it is."""
    if point and not sweep:
        raise UserError("--point needs --sweep NAME, the sweep that it belongs to")
    values = settings.read(params)
    track = validate(TrackParams, values.get("track", {}), "track")
    if track.backend == "none":
        print(f"{params}: track is none: nothing is recorded")
        return
    lock = places.root() / "progress" / "record.lock"
    with held(lock, PATIENCE_S, f"{lock}: another process records for {PATIENCE_S:.0f} s now"), store.asked():
        _sweep(track, points.read(places.sweeps() / sweep), point) if sweep else _benchmark(track, values)


def _benchmark(track: TrackParams, values: Mapping[str, Any]) -> None:
    scored = scores.read(places.scores())
    if not scored.cards:
        raise UserError(f"{places.scores()}: no scores; run plurifill benchmark METHOD (or dvc repro)")
    into, runs = Results(track, "benchmark"), []
    for row, cards in scored.cards.items():
        run, new = into.keep(_row(into, values, row, cards, scored.summary[scored.summary["method"] == row]))
        print(f"{row}: {'recorded' if new else 'there already'}")
        runs.append(run)
    print(f"compare them (make ui): {into.pages()}/{into.compare(runs)}")


def _row(into: Results, values: Mapping[str, Any], row: str, cards: Mapping[str, Any], summary: pd.DataFrame) -> Result:
    method = row.partition("/")[0]
    block = store.flat(inpainters.block(values, method, row))
    parts = {part: read_config(places.model(method, part)) for part in inpainters.module(method).PARENTS}
    trained = into.trained({part: config["fingerprint"] for part, config in parts.items()})
    for run in trained.values():
        into.tag(run, "dvc.lock", provenance.lock())
    return Result(
        row,
        {"row": row},
        {f"methods.{method}.inpaint.{key}": value for key, value in block.items()},
        {**_numbers(block), **_scores(summary)},
        {
            **_lineage(provenance.commit(), _data(next(iter(cards.values()))), provenance.lock(), trained),
            **{f"weights.{part}": config["sha256"] for part, config in parts.items()},
            **_signatures(summary),
            "method": method,
        },
        files=[places.scores() / f"{method}.cards.json"],
    )


def _sweep(track: TrackParams, swept: Sweep, only: str) -> None:
    into = Results(track, "sweeps")
    parent = into.parent(swept.name, {"sweep": swept.name})
    for point in [swept.point(only)] if only else swept.points:
        for result in _point(into, swept, point):
            _, new = into.keep(result, parent)
            print(f"{swept.name} {result.name}: {'recorded' if new else 'there already'}")
    runs = into.children(parent)
    into.describe(parent, _words(swept, into.compare(runs)), {"varied": ", ".join(swept.varied)})
    print(f"compare them (make ui): {into.pages()}/{into.compare(runs)}")


def _point(into: Results, swept: Sweep, point: Point) -> Iterator[Result]:
    """A run a row: most sweeps have one."""
    rows = list(point.summary["method"].unique())
    experiment = str(point.note.get("experiment", ""))
    trained = into.trained(point.note.get("parts", {}))
    for row in rows:
        summary = point.summary[point.summary["method"] == row]
        data = signed(str(summary["card"].iloc[0]))["dataset"]
        lineage = _lineage(str(point.note.get("commit", "unknown")), data, provenance.lock(experiment), trained)
        yield Result(
            point.name if len(rows) == 1 else f"{point.name} {row}",
            {"sweep": swept.name, "point": point.name, "row": row},
            point.overrides,
            {**_numbers(point.overrides), **_scores(summary)},
            {
                **lineage,
                **_signatures(summary),
                "method": row.partition("/")[0],
                "dvc.experiment": experiment or "none",
            },
            float(point.note.get("seconds", 0.0)),
        )


def _numbers(values: Mapping[str, Any]) -> dict[str, float]:
    """The numbers among params, by the shortest ending of their keys: `alpha`, `temperature`."""
    names = points.short(list(values))
    return {names[key]: float(value) for key, value in values.items() if points.is_number(value)}


def _scores(summary: pd.DataFrame) -> dict[str, float]:
    """<protocol>/<metric> and its interval's ends; what is not finite is left out."""
    named = {
        f"{protocol}/{metric}{end}": float(figure[column])
        for (protocol, metric), figure in comparison.by(summary, "protocol", "metric").items()
        for end, column in (("", "estimate"), ("_low", "low"), ("_high", "high"))
    }
    return {name: value for name, value in named.items() if math.isfinite(value)}


def _signatures(summary: pd.DataFrame) -> dict[str, str]:
    return {f"card.{name}": str(card) for name, card in summary.groupby("protocol", sort=False)["card"].first().items()}


def _lineage(commit: str, data: str, lock: str, trained: Mapping[str, str]) -> dict[str, str]:
    runs = {f"parent.{part}": run for part, run in trained.items()}
    return {"commit": commit, "data": data, "dvc.lock": lock, **runs}


def _data(card: Mapping[str, Any]) -> str:
    return f"{card['dataset']}/{card['split']}:{card['split_hash']}"


def _words(swept: Sweep, link: str) -> str:
    return f"{len(swept.points)} points over {', '.join(swept.varied) or 'no key that varies'}. [Compare them]({link})"
