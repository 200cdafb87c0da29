"""What a page is made from, read once: scores, test sets with their samples, sweeps, trained parts, datasets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import Any

import pandas as pd

from stages.evaluation.sweeps import nights, pictures, points
from stages.evaluation.sweeps.pictures import PointPictures
from stages.evaluation.sweeps.points import Sweep
from stages.pages import parts, testsets
from stages.pages.explorer import folder as explorer
from stages.pages.parts import Part
from stages.pages.tables import compare, scores
from stages.pages.tables.best_of_k import best_of_k
from stages.pages.tables.scores import Scores
from stages.pages.tables.table import Table
from stages.pages.testsets import SampledTestSet
from stages.project import params as settings
from stages.project import paths
from stages.project.files import visible
from stages.sampling import store

Said = Sequence[tuple[str, Sequence[str]]]  # texts, each with what it was said of


@dataclass(frozen=True)
class Found:
    """What the artefacts give; a section shows of it what it is about.

    `folder` is the one that the page is written into, `params` the text of the params file, `values` what it says.
    `best_of_k` has the columns of reports/best_of_k.parquet. `unread` tells by name why a test set could not be had.
    `samples` are the descriptions of all sample stores, `swept` the pictures that sweeps' points kept, `datasets` the
    folders of finished ones. `nights` are scores by date (`evaluation.sweeps.nights`), by sweep. `explorer` is the
    image explorer's address, "" where there is none. Scores of a results folder are not `of_project`.
    """

    folder: Path
    scores: Scores
    tables: Sequence[Table]
    warnings: Said
    absent: Said
    params: str
    testsets: Sequence[SampledTestSet]
    of_project: bool
    values: Mapping[str, Any] = field(default_factory=dict)
    best_of_k: pd.DataFrame = field(default_factory=pd.DataFrame)
    unread: Mapping[str, str] = field(default_factory=dict)
    samples: Sequence[Mapping[str, Any]] = ()
    sweeps: Sequence[Sweep] = ()
    nights: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    swept: Sequence[PointPictures] = ()
    parts: Sequence[Part] = ()
    datasets: Sequence[Path] = ()
    explorer: str = ""


def read(params: Path) -> Found:
    """What lies in the project's folders; UserError where scores have unlike cards or are of an older version."""
    root, scored = paths.root(), scores.read(paths.scores())
    tables = compare.compare(scored)
    swept = list(pictures.read(paths.sweeps()))
    sampled, unread = testsets.read(root / "samples", swept)
    return Found(
        folder=paths.reports(),
        scores=scored,
        tables=tables,
        warnings=_gathered((one["text"], one["method"], one["protocol"]) for one in scored.warnings),
        absent=_gathered((one["reason"], one["method"], one["metric"]) for one in scored.absent),
        params=params.read_text() if params.is_file() else "no params file",
        testsets=_in_turn(sampled, tables),
        of_project=True,
        values=settings.read(params) if params.is_file() else {},
        best_of_k=best_of_k(tables, scored.long),
        unread=unread,
        samples=[store.describe(place) for place in store.finished(root / "samples")],
        sweeps=points.read_all(paths.sweeps()),
        nights=nights.read_all(paths.sweeps()),
        swept=swept,
        parts=parts.read(root / "models"),
        datasets=[path.parent for path in visible(root / "shards", "*/dataset.json")],
        explorer=f"{explorer.FOLDER}/{explorer.PAGE}" if sampled and tables else "",
    )


def _in_turn(sampled: Sequence[SampledTestSet], tables: Sequence[Table]) -> list[SampledTestSet]:
    """Test sets in the order of the first tables that tell of them; those without a table last."""
    first = [next((at for at, table in enumerate(tables) if one.under(table.card)), len(tables)) for one in sampled]
    return [one for _, one in sorted(zip(first, sampled, strict=True), key=itemgetter(0))]


def _gathered(said: Iterable[tuple[str, str, str]]) -> list[tuple[str, list[str]]]:
    """The same text once, with all (entry, what) that it was said of."""
    found: dict[str, list[str]] = {}
    for text, entry, what in said:
        found.setdefault(text, []).append(f"{entry} ({what})")
    return [(text, list(dict.fromkeys(entries))) for text, entries in found.items()]
