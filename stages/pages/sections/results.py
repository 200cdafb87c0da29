"""Results: a table of scores by protocol, diversity against fidelity, and what the runs had to say."""

from __future__ import annotations

from collections.abc import Sequence

from stages.pages.answers import paper_of
from stages.pages.drawings import scatter
from stages.pages.found import Found
from stages.pages.section import Content, Nothing
from stages.pages.tables.table import Table

TITLE = "Results"
ORDER = 10
OPEN = 3  # tables that are not folded


def content(found: Found) -> Content | Nothing:
    """Tables, scatters, warnings and reasons of absence."""
    if not found.tables:
        return Nothing("Nothing is scored yet: run plurifill benchmark METHOD, or dvc repro.")
    shown = [table for table in found.tables if table.columns]
    drawn = [scatter.draw(found.scores.summary, table) for table in shown]
    return {
        "tables": [table for table in shown if not paper_of(table.protocol)],
        "open": OPEN,
        "papers": _papers(shown),
        "columnless": [table.protocol for table in found.tables if not table.columns],
        "scatters": [one for one in drawn if one is not None],
        "warnings": found.warnings,
        "absent": found.absent,
    }


def _papers(tables: Sequence[Table]) -> dict[str, list[Table]]:
    """The tables of protocols that papers define, by paper."""
    found: dict[str, list[Table]] = {}
    for table in tables:
        if paper := paper_of(table.protocol):
            found.setdefault(paper, []).append(table)
    return found
