"""`plurifill report`: reports/index.html, one page that is complete alone, the image explorer, and the tables.

Reads finished files only (scores, samples, models, datasets), never MLflow; what is not there is said to be missing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from stages.pages import found as artefacts
from stages.pages import page
from stages.pages.explorer import folder as explorer
from stages.pages.found import Found
from stages.pages.tables import latex, markdown
from stages.project import tables
from stages.project.files import write_text


def main(
    params: Annotated[Path, typer.Option(help="the params file, shown on the page")] = Path("params.yaml"),
) -> None:
    """Write reports/index.html, reports/pages/, and the tables as markdown, LaTeX and parquet."""
    found = artefacts.read(params)
    write_text(found.folder / "index.html", page.render(found))
    explorer.write(found.folder / explorer.FOLDER, found.testsets, found.tables, found.scores.long)
    _write_tables(found)
    print(found.folder / "index.html")


def _write_tables(found: Found) -> None:
    write_text(found.folder / "tables.md", markdown.render(found.tables))
    write_text(found.folder / "tables.tex", latex.render(found.tables))
    tables.write(found.scores.summary, found.folder / "tables")
    tables.write(found.best_of_k, found.folder / "best_of_k")
    pairs = [table.verdict.pairs.assign(protocol=table.protocol) for table in found.tables]
    tables.write(pd.concat(pairs, ignore_index=True) if pairs else pd.DataFrame(), found.folder / "pairs")
