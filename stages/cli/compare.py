"""`plurifill compare --sweep NAME`: the sweep's points beside one another, each against a reference point.

Leaves in reports/sweeps/<name>/compared/: curve.parquet, every figure with its interval over the keys that the sweep
turns; pairs.parquet, every point's difference from the reference point on the same images.
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
from stages.evaluation.sweeps import comparison, latents, pictures, points, seeds
from stages.evaluation.sweeps.points import Sweep
from stages.pages import labels
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
    pairs = comparison.pairs(swept, against)
    pairs = pairs[pairs["metric"].isin(curve["metric"]) & pairs["protocol"].isin(curve["protocol"])]
    together = _seeds(swept, curve) if seeds.vary(swept) else ()
    for line in [*_head(swept, against.name), *together, *_tables(swept, curve, pairs)]:
        print(line)
    for name, frame in {"curve": curve, "pairs": pairs}.items():
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


def _head(swept: Sweep, against: str) -> Iterator[str]:
    yield f"sweep {swept.name}: {len(swept.points)} points over {', '.join(swept.varied) or 'no key that varies'}"
    yield f"differences are from {against}, paired on the same images; * p < 0.05 (Holm over a protocol's differences)"
    commits = list(dict.fromkeys(str(point.note.get("commit", "unknown")) for point in swept.points))
    if len(commits) > 1:
        yield f"the points are of {len(commits)} commits: {', '.join(commit[:12] for commit in commits)}"
    yield from latents.told(swept, pictures.of(swept, paths.sweeps() / swept.name))


def _tables(swept: Sweep, curve: pd.DataFrame, pairs: pd.DataFrame) -> Iterator[str]:
    differences = comparison.by(pairs, "method", "protocol", "metric", "point")
    names = points.short(swept.varied)
    heads = ["point", *names.values(), "estimate", "95 % interval", "difference", "95 % interval", "p (Holm)"]
    for (entry, protocol, metric), rows in curve.groupby(["method", "protocol", "metric"], sort=False):
        own = comparison.by(rows, "point")
        yield f"\n{entry} under {protocol}: {metric}, {_about(next(iter(own.values())))}"
        lines = [heads]
        for point in (point for point in swept.points if (point.name,) in own):
            values = [point.text(key) for key in names]
            pair = differences.get((str(entry), str(protocol), str(metric), point.name))
            lines.append([point.name, *values, *_figures(own[(point.name,)]), *_difference(pair)])
        yield from _aligned(lines)


def _seeds(swept: Sweep, curve: pd.DataFrame) -> Iterator[str]:
    """Trainings that differ by their seed alone, taken together."""
    heads = [*points.short(seeds.others(swept)).values(), "trainings", "mean", "std of seeds"]
    for about, rows in seeds.together(swept, curve).groupby(["method", "protocol", "metric"], sort=False):
        yield "\n{} under {}: {} over seeds".format(*about)
        figures = rows[["estimate", "std_seeds"]].map(labels.number).to_numpy()
        counted = zip(rows["values"], rows["trainings"], figures, strict=True)
        yield from _aligned([heads, *([*values, str(count), *both] for values, count, both in counted)])


def _about(figure: Mapping[str, Any]) -> str:
    way = f"{figure['better']} is better, " if figure["better"] else ""
    few = f", too few to name a winner (under {MIN_SOURCES})" if figure["sources"] < MIN_SOURCES else ""
    return f"{way}{figure['n']} images of {figure['sources']} sources{few}"


def _figures(figure: Mapping[str, Any]) -> list[str]:
    return [labels.number(figure["estimate"]), _interval(figure)]


def _difference(pair: Mapping[str, Any] | None) -> list[str]:
    if pair is None:
        return ["–", "–", "–"]
    return [f"{pair['difference']:+.3g}", _interval(pair), f"{pair['p_holm']:.2g}{' *' if pair['sure'] else ''}"]


def _interval(ends: Mapping[str, Any]) -> str:
    low, high = float(ends["low"]), float(ends["high"])
    return f"{labels.number(low)} to {labels.number(high)}" if math.isfinite(low) and math.isfinite(high) else "–"


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Columns as wide as their widest cell: names to the left, figures to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *others in rows:
        cells = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        yield "  ".join(["", first.ljust(widths[0]), *cells]).rstrip()
