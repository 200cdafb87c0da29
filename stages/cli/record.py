"""`plurifill record`: the finished benchmark in MLflow, a run an entry; with --sweep, a sweep's points below their run.

A run has the final scores under every protocol (<protocol>/<metric>, _low, _high), the cards' signatures, the params
that made it, numbers among them as metrics too (param/<name>: MLflow filters only metrics as numbers), and its lineage:
commit, dvc.lock, data, and the training runs of its parts. Recording again changes nothing. What trainings could not
log, since MLflow did not answer, is logged first; with --trainings, that alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from stages.cli import options
from stages.contract import UserError
from stages.evaluation.protocols import signed
from stages.evaluation.sweeps import comparison, nights, points, seeds
from stages.evaluation.sweeps.points import Point, Sweep
from stages.pages.tables import scores
from stages.project import names, paths, provenance
from stages.project import params as settings
from stages.project.entries import Entry
from stages.project.locks import held
from stages.project.params import validate
from stages.project.releases import read_config
from stages.sampling import inpainters
from stages.tracking import delivery, store
from stages.tracking.comparisons import PARAM, Comparison
from stages.tracking.results import Result, Results
from stages.tracking.store import TrackParams

PATIENCE_S = 300.0  # points that finish together are recorded one after the other


def main(
    sweep: Annotated[
        str, typer.Option(help="a sweep in reports/sweeps; default: the benchmark in reports/scores")
    ] = "",
    point: Annotated[str, typer.Option(help="with --sweep: this point alone")] = "",
    trainings: Annotated[
        bool, typer.Option("--trainings", help="only what trainings could not log while MLflow did not answer")
    ] = False,
    params: options.ParamsFile = options.PARAMS,
) -> None:
    """Write finished scores to MLflow; what is there already stays as it is."""
    if trainings and sweep:
        raise UserError("--trainings and --sweep are two things; give one of them")
    if point and not sweep:
        raise UserError("--point needs --sweep NAME, the sweep that it belongs to")
    if sweep:
        names.check_folder(sweep, "--sweep")
    values = settings.read(params)
    track = validate(TrackParams, values.get("track", {}), "track")
    if track.backend == "none":
        print(f"{params}: track is none: nothing is recorded")
        return
    lock = paths.root() / "progress" / "record.lock"
    with held(lock, PATIENCE_S, f"{lock}: another process records for {PATIENCE_S:.0f} s now"), store.asked():
        for line in delivery.late(paths.unlogged()):
            print(line)
        if trainings:
            return
        _sweep(track, points.read(paths.sweeps() / sweep), point) if sweep else _benchmark(track, values)


def _benchmark(track: TrackParams, values: Mapping[str, Any]) -> None:
    scored = scores.read(paths.scores())
    if not scored.cards:
        raise UserError(f"{paths.scores()}: no scores; run plurifill benchmark METHOD (or dvc repro)")
    into, runs, results = Results(track, "benchmark"), [], []
    for name, cards in scored.cards.items():
        own = scored.summary[scored.summary["method"] == name]
        results.append(_entry(into, values, Entry.parse(name), cards, own))
        run, new = into.keep(results[-1])
        print(f"{name}: {'recorded' if new else 'there already'}")
        runs.append(f"'{run}'")
    shown = f"attributes.run_id IN ({', '.join(runs)})"
    metrics = [name for one in results for name in one.metrics]
    link = into.share(Comparison.of("benchmark", shown, ["entry"], {}, metrics))
    print(f"compare them (make ui): {into.pages()}/{link}")


def _entry(
    into: Results, values: Mapping[str, Any], entry: Entry, cards: Mapping[str, Any], summary: pd.DataFrame
) -> Result:
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


def _sweep(track: TrackParams, swept: Sweep, only: str) -> None:
    into = Results(track, "sweeps")
    parent, results = into.parent(swept.name, {"sweep": swept.name}), []
    for point in [swept.point(only)] if only else swept.points:
        for result in _point(into, swept, point):
            _, new = into.keep(result, parent)
            print(f"{swept.name} {result.name}: {'recorded' if new else 'there already'}")
            results.append(result)
    shown = f"tags.`mlflow.parentRunId` = '{parent}'"
    if seeds.vary(swept):
        results, shown = [*_seeds(swept)], f"{shown} AND tags.seeds LIKE '%'"
        for result in results:
            into.keep(result, parent)
    metrics = [name for one in results for name in one.metrics]
    link = into.share(Comparison.of(swept.name, shown, _axes(swept), _drawn_as(swept), metrics))
    into.describe(parent, _words(swept, link), {"varied": ", ".join(swept.varied)})
    print(f"compare them (make ui): {into.pages()}/{link}")
    if kept := nights.of(paths.sweeps() / swept.name):
        _nights(into, swept.name, kept)


def _axes(swept: Sweep) -> list[str]:
    """The params that scores are drawn over: what varies, and whose the scores are where several entries have them."""
    entries = {name for point in swept.points for name in point.summary["method"]}
    varied = seeds.others(swept)
    return [*varied, *(["entry"] if len(entries) > 1 or not varied else [])]


def _drawn_as(swept: Sweep) -> dict[str, str]:
    """The metrics that `_numbers` makes of what varies, where every point has a number."""
    keys = seeds.others(swept)
    names = points.short(list(keys if seeds.vary(swept) else swept.keys))
    return {key: PARAM + names[key] for key in keys if swept.numeric(key)}


def _seeds(swept: Sweep) -> Iterator[Result]:
    """Trainings that differ by their seed alone as one run: the means, and behind each its spread over the seeds."""
    keys = seeds.others(swept)
    names = points.short(keys)
    rows = seeds.together(swept, comparison.curve(swept))
    for (entry, _), own in rows.groupby(["method", "values"], sort=False):
        values: tuple[str, ...] = own["values"].iloc[0]
        same = next(point for point in swept.points if tuple(map(point.text, keys)) == values)
        set_there = {key: same.overrides[key] for key in keys if key in same.overrides}
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


def _nights(into: Results, name: str, kept: Sequence[Path]) -> None:
    """A run for every point of every night, which stays; and one a point whose curves are the scores by night."""
    parent = into.parent(f"{name} by night", {"sweep": name, "nights": "all"})
    there = into.tags(parent)
    for step, night in enumerate(kept):
        if (mark := f"night.{night.name}") in there:
            continue
        swept = replace(points.read(night), name=name)
        for result in (result for point in swept.points for result in _point(into, swept, point)):
            own = {**result.identity, "night": night.name}
            into.keep(replace(result, name=f"{night.name} {result.name}", identity=own), parent)
            whole = {**result.identity, "nights": "all"}
            scores_then = {key: value for key, value in result.metrics.items() if not key.startswith(PARAM)}
            into.follow(f"{result.name} by night", whole, parent, scores_then, nights.begun(night), step)
        into.tag(parent, mark, "recorded")
        print(f"{name} {night.name}: recorded")
    into.describe(parent, f"{len(kept)} nights; the runs named `by night` have the scores as curves.", {})


def _point(into: Results, swept: Sweep, point: Point) -> Iterator[Result]:
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
            {**_numbers(point.overrides), **_scores(summary)},
            {
                **lineage,
                **_signatures(summary),
                "method": Entry.parse(name).method,
                "dvc.experiment": experiment or "none",
            },
            float(point.note.get("seconds", 0.0)),
        )


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


def _words(swept: Sweep, link: str) -> str:
    return f"{len(swept.points)} points over {', '.join(swept.varied) or 'no key that varies'}. [Compare them]({link})"
