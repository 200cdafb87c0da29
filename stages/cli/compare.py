"""`plurifill compare --sweep NAME`: the sweep's points beside one another, each against a reference point.

Leaves in reports/sweeps/<name>/compared/: curve.parquet, every figure with its interval over the keys that the sweep
turns; pairs.parquet, every point's difference from the reference point on the same images; trainings.parquet, points
that differ by their trainings' seeds alone as one row a score.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

import pandas as pd
import typer

from stages.cli import options
from stages.contract import UserError
from stages.evaluation.statistics import MIN_SOURCES
from stages.evaluation.sweeps import comparison, latents, pictures, points, seeds, stopped, trainings
from stages.evaluation.sweeps.points import Sweep
from stages.pages import labels
from stages.pages.tables.aligned import aligned
from stages.pages.tables.seeds import SPREADS
from stages.project import names, paths, tables
from stages.project import params as settings
from stages.project.params import nearest


def main(
    sweep: Annotated[str, typer.Option(help="a sweep with finished points in reports/sweeps")],
    metric: Annotated[list[str] | None, typer.Option(help="only this metric; may be repeated")] = None,
    protocol: Annotated[list[str] | None, typer.Option(help="only under this protocol; may be repeated")] = None,
    reference: Annotated[str, typer.Option(help="the point to compare with; default: the one that params sets")] = "",
    params: options.ParamsFile = options.PARAMS,
) -> None:
    """Print a sweep's figures with intervals and paired differences from one of its points."""
    names.check_folder(sweep, "--sweep")
    swept = points.read(paths.sweeps() / sweep)
    comparison.refuse_unlike(swept)
    against = swept.point(reference) if reference else comparison.reference(swept, settings.read(params))
    curve = _chosen(comparison.curve(swept), metric, protocol)
    pairs = _of(comparison.pairs(swept, against), curve)
    together = _of(trainings.rows(swept), curve)
    for line in [
        *_head(swept, against.name),
        *_trainings(swept),
        *_seeds(swept, together),
        *_tables(swept, curve, pairs),
    ]:
        print(line)
    for name, frame in {"curve": curve, "pairs": pairs, **({"trainings": together} if len(together) else {})}.items():
        print(tables.write(frame, paths.sweeps() / sweep / "compared" / name))


def _chosen(curve: pd.DataFrame, metrics: Sequence[str] | None, protocols: Sequence[str] | None) -> pd.DataFrame:
    """The rows of these metrics and protocols; UserError where one of them has none."""
    for option, column, asked in (("--metric", "metric", metrics), ("--protocol", "protocol", protocols)):
        known = list(curve[column].unique())
        for name in asked or ():
            if name not in known:
                raise UserError(f"{option} {name}: the sweep has no such {column}{nearest(name, known)}")
        curve = curve[curve[column].isin(asked or known)]
    hidden = {name for name in curve["metric"].unique() if not labels.is_column(name)} - set(metrics or ())
    return curve[~curve["metric"].isin(hidden)].reset_index(drop=True)


def _of(frame: pd.DataFrame, curve: pd.DataFrame) -> pd.DataFrame:
    """The rows of the curve's metrics and protocols."""
    return (
        frame[frame["metric"].isin(curve["metric"]) & frame["protocol"].isin(curve["protocol"])]
        if len(frame)
        else frame
    )


def _head(swept: Sweep, against: str) -> Iterator[str]:
    yield f"sweep {swept.name}: {len(swept.points)} points over {', '.join(swept.varied) or 'no key that varies'}"
    yield f"differences are from {against}, paired on the same images; * p < 0.05 (Holm over a protocol's differences)"
    yield "B-H: Benjamini-Hochberg; of the differences below 0.05 by it, a twentieth is expected to be false"
    yield "detectable: the least difference that so many images show at 80 % power; needs n: images that show this one"
    commits = list(dict.fromkeys(str(point.note.get("commit", "unknown")) for point in swept.points))
    if len(commits) > 1:
        yield f"the points are of {len(commits)} commits: {', '.join(commit[:12] for commit in commits)}"
    yield from latents.told(swept, pictures.of(swept, paths.sweeps() / swept.name))
    yield from (f"stopped early: {line}" for line in stopped.told(swept.stopped))


def _trainings(swept: Sweep) -> Iterator[str]:
    """What the parts are that each point came from; nothing where the notes are of an earlier version."""
    lines = [
        [
            point.name,
            part,
            f"{one['parameters']:,}",
            f"{one['seconds']:,.0f}",
            f"{one['steps']:,}",
            f"{one['skipped_steps']:,}",
        ]
        for point in swept.points
        for part, one in point.note.get("trainings", {}).items()
    ]
    if lines:
        yield "\ntrainings; skipped are steps whose gradient was not finite"
        yield from aligned([["point", "part", "parameters", "seconds", "steps", "skipped"], *lines])


def _tables(swept: Sweep, curve: pd.DataFrame, pairs: pd.DataFrame) -> Iterator[str]:
    differences = comparison.by(pairs, "method", "protocol", "metric", "point")
    names = points.short(swept.varied)
    heads = [
        "point",
        *names.values(),
        "estimate",
        "95 % interval",
        "difference",
        "95 % interval",
        "p (Holm)",
        "p (B-H)",
        "detectable",
        "needs n",
    ]
    for (entry, protocol, metric), rows in curve.groupby(["method", "protocol", "metric"], sort=False):
        own = comparison.by(rows, "point")
        yield f"\n{entry} under {protocol}: {metric}, {_about(next(iter(own.values())))}"
        lines = [heads]
        for point in (point for point in swept.points if (point.name,) in own):
            values = [point.text(key) for key in names]
            pair = differences.get((str(entry), str(protocol), str(metric), point.name))
            lines.append([point.name, *values, *_figures(own[(point.name,)]), *_difference(pair)])
        yield from aligned(lines)


def _seeds(swept: Sweep, together: pd.DataFrame) -> Iterator[str]:
    """Trainings that differ by their seed alone, taken together."""
    keys = points.short(seeds.others(swept)).values()
    heads = [*keys, "trainings", "mean", "95 % interval", *(name.replace("_", " of ") for name in SPREADS)]
    for about, rows in together.groupby(["method", "protocol", "metric"], sort=False) if len(together) else ():
        yield "\n{} under {}: {} over seeds".format(*about)
        own = comparison.by(rows, "values").values()
        stds = [[labels.number(row[name]) for name in SPREADS] for row in own]
        figures = zip(own, stds, strict=True)
        yield from aligned(
            [heads, *([*row["values"], str(row["trainings"]), *_figures(row), *std] for row, std in figures)]
        )


def _about(figure: Mapping[str, Any]) -> str:
    way = f"{figure['better']} is better, " if figure["better"] else ""
    few = f", too few to name a winner (under {MIN_SOURCES})" if figure["sources"] < MIN_SOURCES else ""
    return f"{way}{figure['n']} images of {figure['sources']} sources{few}"


def _figures(figure: Mapping[str, Any]) -> list[str]:
    return [labels.number(figure["estimate"]), _interval(figure)]


def _difference(pair: Mapping[str, Any] | None) -> list[str]:
    if pair is None:
        return ["–"] * 6
    adjusted = f"{pair['p_holm']:.2g}{' *' if pair['sure'] else ''}", f"{pair['p_bh']:.2g}"
    power = labels.number(pair["detectable"]), labels.count(pair["needed"])
    return [f"{pair['difference']:+.3g}", _interval(pair), *adjusted, *power]


def _interval(ends: Mapping[str, Any]) -> str:
    low, high = float(ends["low"]), float(ends["high"])
    return f"{labels.number(low)} to {labels.number(high)}" if math.isfinite(low) and math.isfinite(high) else "–"
