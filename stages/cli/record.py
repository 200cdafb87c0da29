"""`plurifill record`: the finished benchmark in MLflow, a run an entry; with --sweep, a sweep's points below their run.

A run has the final scores under every protocol (<protocol>/<metric>, _low, _high), the cards' signatures, the params
that made it, numbers among them as metrics too (param/<name>: MLflow filters only metrics as numbers), and its lineage:
commit, dvc.lock, data, and the training runs of its parts. Recording again changes nothing. What trainings could not
log, since MLflow did not answer, is logged first; with --trainings, that alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from stages.cli import options, recorded
from stages.contract import UserError
from stages.evaluation.sweeps import nights, points, seeds
from stages.evaluation.sweeps.points import Sweep
from stages.pages.tables import scores
from stages.project import names, paths
from stages.project import params as settings
from stages.project.entries import Entry
from stages.project.locks import held
from stages.project.params import validate
from stages.tracking import delivery, store
from stages.tracking.comparisons import PARAM, Comparison
from stages.tracking.results import Results
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
        results.append(recorded.of_entry(into, values, Entry.parse(name), cards, own))
        run, new = into.keep(results[-1])
        print(f"{name}: {'recorded' if new else 'there already'}")
        runs.append(f"'{run}'")
    shown = f"attributes.run_id IN ({', '.join(runs)})"
    metrics = [name for one in results for name in one.metrics]
    link = into.share(Comparison.of("benchmark", shown, ["entry"], {}, metrics))
    print(f"compare them (make ui): {into.pages()}/{link}")


def _sweep(track: TrackParams, swept: Sweep, only: str) -> None:
    into = Results(track, "sweeps")
    parent, results = into.parent(swept.name, {"sweep": swept.name}), []
    for point in [swept.point(only)] if only else swept.points:
        for result in recorded.of_point(into, swept, point):
            _, new = into.keep(result, parent)
            print(f"{swept.name} {result.name}: {'recorded' if new else 'there already'}")
            results.append(result)
    shown = f"tags.`mlflow.parentRunId` = '{parent}'"
    if seeds.vary(swept):
        results, shown = [*recorded.of_seeds(swept)], f"{shown} AND tags.seeds LIKE '%'"
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


def _nights(into: Results, name: str, kept: Sequence[Path]) -> None:
    """A run for every point of every night, which stays; and one a point whose curves are the scores by night."""
    parent = into.parent(f"{name} by night", {"sweep": name, "nights": "all"})
    there = into.tags(parent)
    for step, night in enumerate(kept):
        if (mark := f"night.{night.name}") in there:
            continue
        swept = replace(points.read(night), name=name)
        for result in (result for point in swept.points for result in recorded.of_point(into, swept, point)):
            own = {**result.identity, "night": night.name}
            into.keep(replace(result, name=f"{night.name} {result.name}", identity=own), parent)
            whole = {**result.identity, "nights": "all"}
            scores_then = {key: value for key, value in result.metrics.items() if not key.startswith(PARAM)}
            into.follow(f"{result.name} by night", whole, parent, scores_then, nights.begun(night), step)
        into.tag(parent, mark, "recorded")
        print(f"{name} {night.name}: recorded")
    into.describe(parent, f"{len(kept)} nights; the runs named `by night` have the scores as curves.", {})


def _words(swept: Sweep, link: str) -> str:
    return f"{len(swept.points)} points over {', '.join(swept.varied) or 'no key that varies'}. [Compare them]({link})"
