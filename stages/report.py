"""`plurifill report`: reports/index.html, one page that is complete alone, and its tables as markdown and parquet.

Reads finished files only (scores, samples, models, datasets), never MLflow; what is not there is said to be missing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from stages import places, provenance, tables
from stages.pages import cost, data, grids, markdown, page, scores, training


def main(
    params: Annotated[Path, typer.Option(help="the params file, shown on the page")] = Path("params.yaml"),
) -> None:
    """Write reports/index.html, reports/tables.md and reports/tables.parquet."""
    scored = scores.read(places.scores())
    compared = scores.compare(scored)
    folder = places.reports()
    _write(folder / "index.html", page.render(content(scored, compared, params)))
    _write(folder / "tables.md", markdown.render(compared))
    tables.write(scored.summary, folder / "tables")
    print(folder / "index.html")


def content(scored: scores.Scores, compared: Sequence[scores.Table], params: Path) -> page.Content:
    """Everything that the page shows, read from the artefacts' places."""
    root = places.root()
    return page.Content(
        tables=compared,
        grids=grids.read(root / "samples"),
        trained=training.read(root / "models"),
        costs=cost.compare(scored.cost),
        datasets=data.read(root / "shards"),
        draws=[json.loads(path.read_text()) for path in sorted((root / "samples").glob("*/*/*/draw.json"))],
        warnings=_gathered((entry["text"], entry["method"], entry["protocol"]) for entry in scored.warnings),
        absent=_gathered((entry["reason"], entry["method"], entry["metric"]) for entry in scored.absent),
        origin=_origin(),
        params=params.read_text() if params.is_file() else "no params file",
    )


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
