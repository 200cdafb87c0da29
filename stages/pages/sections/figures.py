"""Figures: those of the papers, what sweeps varied, and the images on which methods fail."""

from __future__ import annotations

from stages.pages.figures import failures, named
from stages.pages.found import Found
from stages.pages.section import Content, Nothing

TITLE = "Figures"
ORDER = 30


def content(found: Found) -> Content | Nothing:
    """Figures that test sets fill, those that wait for their runs, and failures."""
    if not found.of_project:
        return Nothing("The papers' figures are the project report's.")
    figures, awaited = named.find(found.testsets)
    charted = named.charted(found.sweeps)
    there = {one.name for one in charted}
    failed = failures.find(found.testsets, found.tables, found.scores.long)
    waiting = [one for one in awaited if one.name not in there]
    return {"figures": figures, "charted": charted, "awaited": waiting, "failures": failed, "explorer": found.explorer}
