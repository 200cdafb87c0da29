"""Sweeps: what scores do when parameters vary, drawn from the finished points in reports/sweeps; the best of k.

One number that varies is a line a metric, two keys that every point sets are a grid, and every sweep is a table beside
its reference point. Trainings that differ by their seed alone are one: their mean, and its spread.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from stages.contract import UserError
from stages.evaluation.sweeps import comparison, latents, points, seeds, stopped
from stages.evaluation.sweeps.pictures import PointPictures
from stages.evaluation.sweeps.points import Sweep
from stages.pages import labels
from stages.pages.drawings import charts, heats
from stages.pages.drawings.charts import Chart
from stages.pages.drawings.heats import Heat
from stages.pages.found import Found
from stages.pages.section import Content
from stages.pages.tables.points import Points, tables
from stages.pages.tables.seeds import Spread, spreads
from stages.pages.tables.table import Table

TITLE = "Sweeps"
ORDER = 40
FLAT = 1e-9  # what rounding makes of a curve of samples that are one picture


@dataclass(frozen=True)
class Shown:
    """One sweep: charts where one number varies beside seeds, heats where two keys do, and always its tables.

    Where training seeds vary, `seeds` tells how much of the variance is theirs, by the values of the `beside` keys.
    `latents` say whether all points complete the same.
    """

    name: str
    points: int
    parameters: tuple[str, ...]
    reference: str = ""
    charts: tuple[Chart, ...] = ()
    heats: tuple[Heat, ...] = ()
    tables: tuple[Points, ...] = ()
    seeds: tuple[Spread, ...] = ()
    beside: tuple[str, ...] = ()
    latents: tuple[str, ...] = ()
    stopped: tuple[str, ...] = ()  # a line for each point that a search gave up
    refused: str = ""  # why its points cannot be put beside one another; then nothing else is shown


def content(found: Found) -> Content:
    """Every sweep with a finished point, and the curves of the best of k."""
    return {
        "sweeps": [shown(sweep, found.values, found.swept) for sweep in found.sweeps],
        "best": list(_best(found.tables, found.best_of_k)),
    }


def shown(sweep: Sweep, values: Mapping[str, Any], kept: Iterable[PointPictures] = ()) -> Shown:
    """A sweep as the page has it; `values` (params.yaml) say which point is the reference, `kept` is what it drew."""
    names = points.short(sweep.varied)
    varied, beside = tuple(names.values()), tuple(names[key] for key in seeds.others(sweep))
    try:
        comparison.refuse_unlike(sweep)
    except UserError as error:
        return Shown(sweep.name, len(sweep.points), varied, refused=str(error))
    curve = comparison.curve(sweep)
    curve = curve[curve["metric"].map(labels.is_column).astype(bool)]
    together = seeds.together(sweep, curve) if seeds.vary(sweep) else None
    frame, drawn = (one.rename(columns=names) for one in (curve, curve if together is None else together))
    against = comparison.reference(sweep, values)
    line = len(beside) == 1 and sweep.numeric(seeds.others(sweep)[0])
    grid = len(beside) == 2 and all(key in point.overrides for point in sweep.points for key in seeds.others(sweep))
    return Shown(
        sweep.name,
        len(sweep.points),
        varied,
        against.name,
        charts=tuple(charts.draw(drawn, beside[0])) if line else (),
        heats=tuple(heats.draw(drawn, *beside)) if grid else (),
        tables=tuple(tables(sweep, frame, comparison.pairs(sweep, against), names)),
        seeds=tuple(spreads(sweep)),
        beside=beside,
        latents=tuple(latents.told(sweep, kept)),
        stopped=tuple(stopped.told(sweep.stopped)),
    )


def _best(tables: Sequence[Table], best_of_k: pd.DataFrame) -> Iterator[Chart]:
    """PSNR, which selects, and the first fidelity that does not, of each protocol; no line for samples that are one."""
    for table in tables if len(best_of_k) else ():
        own = best_of_k[(best_of_k["protocol"] == table.protocol) & best_of_k["metric"].isin({"psnr", table.fidelity})]
        estimates = own.groupby(["method", "metric"])["estimate"]
        yield from charts.draw(own[estimates.transform("max") - estimates.transform("min") > FLAT], "k")
