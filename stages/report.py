"""`plurifill report`: reports/index.html, one page that is complete alone, the image explorer, and the tables.

Reads finished files only (scores, samples, models, datasets), never MLflow; what is not there is said to be missing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from stages import places, provenance, tables
from stages.engine import params as settings
from stages.pages import (
    best,
    cost,
    data,
    draws,
    failures,
    grids,
    latex,
    markdown,
    page,
    plates,
    results,
    scatter,
    scores,
    sweeps,
    training,
)
from stages.pages.explorer import folder as explorer
from stages.sweeps import pictures


def main(
    params: Annotated[Path, typer.Option(help="the params file, shown on the page")] = Path("params.yaml"),
) -> None:
    """Write reports/index.html, reports/pages/, and the tables as markdown, LaTeX and parquet."""
    scored = results.read(places.scores())
    compared = scores.compare(scored)
    drawn, missing = draws.read(places.root() / "samples", list(pictures.read(places.sweeps())))
    folder = places.reports()
    chosen = best.table(compared, scored.long)
    _write(folder / "index.html", page.render(content(scored, compared, drawn, missing, params, chosen)))
    explorer.write(folder / "pages", drawn, compared, scored.long)
    _write_tables(folder, scored, compared, chosen)
    print(folder / "index.html")


def content(
    scored: results.Scores,
    compared: Sequence[scores.Table],
    drawn: Sequence[draws.Drawn],
    missing: Mapping[str, str],
    params: Path,
    chosen: pd.DataFrame,
) -> page.Content:
    """Everything that the page shows, read from the artefacts' places; `chosen` is the table of the best of k."""
    root, (found, awaited) = places.root(), plates.find(drawn)
    return page.Content(
        tables=compared,
        grids=[*map(grids.grid, drawn), *(grids.Grid(name, (), reason) for name, reason in missing.items())],
        trained=training.read(root / "models"),
        costs=cost.compare(scored.cost),
        datasets=data.read(root / "shards"),
        draws=[json.loads(path.read_text()) for path in sorted((root / "samples").glob("*/*/*/draw.json"))],
        warnings=_gathered((entry["text"], entry["method"], entry["protocol"]) for entry in scored.warnings),
        absent=_gathered((entry["reason"], entry["method"], entry["metric"]) for entry in scored.absent),
        origin=_origin(),
        params=params.read_text() if params.is_file() else "no params file",
        scatters=[one for table in compared if (one := scatter.draw(scored.summary, table)) is not None],
        plates=found,
        awaited=awaited,
        failures=failures.find(drawn, compared, scored.long),
        sweeps=sweeps.read(places.sweeps(), settings.read(params) if params.is_file() else {}),
        best=best.draw(compared, chosen),
        explorer=f"pages/{explorer.PAGE}" if drawn and compared else "",
    )


def _write_tables(folder: Path, scored: results.Scores, compared: Sequence[scores.Table], chosen: pd.DataFrame) -> None:
    _write(folder / "tables.md", markdown.render(compared))
    _write(folder / "tables.tex", latex.render(compared))
    tables.write(scored.summary, folder / "tables")
    tables.write(chosen, folder / "best_of_k")
    pairs = [table.verdict.pairs.assign(protocol=table.protocol) for table in compared]
    tables.write(pd.concat(pairs, ignore_index=True) if pairs else pd.DataFrame(), folder / "pairs")


def _gathered(said: Iterable[tuple[str, str, str]]) -> list[tuple[str, list[str]]]:
    """The same text once, with all (row, what) that it was said of."""
    found: dict[str, list[str]] = {}
    for text, row, what in said:
        found.setdefault(text, []).append(f"{row} ({what})")
    return [(text, list(dict.fromkeys(rows))) for text, rows in found.items()]


def _origin() -> list[tuple[str, str]]:
    facts: Mapping[str, Any] = {"commit": provenance.commit(), **provenance.machine(), **provenance.versions()}
    return [(name, str(value)) for name, value in facts.items()]


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
