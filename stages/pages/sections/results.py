"""Results: a table of scores by protocol, diversity against fidelity, and what the runs had to say."""

from __future__ import annotations

from stages.pages.drawings import scatter
from stages.pages.found import Found
from stages.pages.section import Content, Nothing

TITLE = "Results"
ORDER = 10


def content(found: Found) -> Content | Nothing:
    """Tables, scatters, warnings and reasons of absence."""
    if not found.tables:
        return Nothing("Nothing is scored yet: run plurifill benchmark METHOD, or dvc repro.")
    drawn = [scatter.draw(found.scores.summary, table) for table in found.tables]
    return {
        "tables": found.tables,
        "scatters": [one for one in drawn if one is not None],
        "warnings": found.warnings,
        "absent": found.absent,
    }
