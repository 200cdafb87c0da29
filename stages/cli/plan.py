"""`plurifill plan --protocol box --difference 0.01`: how many photographs show a difference, before any training.

From scores that are there (the classical floor's, or another project's by --scores): two entries on the same images
differ by more or less an image, and that spread says how many photographs a paired comparison takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, cast

import pandas as pd
import typer

from stages.contract import UserError
from stages.evaluation import planning
from stages.evaluation.planning import Pair
from stages.evaluation.protocols import Selection, signed
from stages.pages import labels
from stages.pages.tables import scores
from stages.pages.tables.aligned import aligned
from stages.project import paths
from stages.project.params import nearest


def main(
    protocol: Annotated[str, typer.Option(help="a protocol with stored scores")],
    difference: Annotated[float, typer.Option(help="what is to be seen, in the metric's own unit")],
    metric: Annotated[list[str] | None, typer.Option(help="only this metric; may be repeated")] = None,
    given: Annotated[Path | None, typer.Option("--scores", help="a folder of scores; default: reports/scores")] = None,
) -> None:
    """Say how many photographs show a difference, from the spread of stored scores."""
    if not difference > 0.0:
        raise UserError(f"--difference {difference:g}: a difference is above 0")
    folder = given or paths.scores()
    long = _under(folder, protocol)
    selection = cast(Selection, signed(str(long["card"].iloc[0]))["selection"])
    found = {name: planning.pairs(long, name, selection) for name in _chosen(long, protocol, metric)}
    rows = [_row(name, own, difference) for name, own in found.items() if own]
    if not rows:
        raise UserError(f"{folder}: no two entries under {protocol} differ; score others (plurifill benchmark METHOD)")
    print(
        f"{protocol}: photographs that show a difference of {difference:g} at 80 % power (paired, p < 0.05, one pair)"
    )
    heads = [
        "metric",
        "pairs",
        "photographs here",
        "images each",
        "smallest seen here",
        "median pair",
        "hardest pair",
        "",
    ]
    for line in aligned([heads, *rows]):
        print(line)


def _under(folder: Path, protocol: str) -> pd.DataFrame:
    """The protocol's long table; UserError where it has none, or a single entry."""
    long = scores.read_long(folder)
    known = list(map(str, long["protocol"].unique()))
    if protocol not in known:
        hint = nearest(protocol, known) or "; run plurifill benchmark METHOD"
        raise UserError(f"--protocol {protocol}: {folder} has no scores under it{hint}")
    own = long[long["protocol"] == protocol]
    if own["method"].nunique() < 2:
        raise UserError(f"{folder}: one entry alone is scored under {protocol}; a difference is of two")
    return own


def _chosen(long: pd.DataFrame, protocol: str, asked: Sequence[str] | None) -> list[str]:
    """The metrics that are asked for, else all that have a column."""
    known = [str(name) for name in long["metric"].unique()]
    for name in asked or ():
        if name not in known:
            raise UserError(f"--metric {name}: no value of an image under {protocol}{nearest(name, known)}")
    return list(asked or sorted(filter(labels.is_column, known), key=labels.order))


def _row(metric: str, found: Sequence[Pair], difference: float) -> list[str]:
    median, hardest = found[len(found) // 2], found[-1]
    each = labels.number(median.images / median.photographs)
    needed = [labels.count(pair.needed(difference)) for pair in (median, hardest)]
    here = [str(len(found)), str(median.photographs), each, labels.number(median.detectable)]
    return [metric, *here, *needed, f"({hardest.a} and {hardest.b})"]
