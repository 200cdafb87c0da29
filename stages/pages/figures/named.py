"""The papers' figures by their names, and those of sweeps: what the test sets fill, and what is waited for."""

from __future__ import annotations

from collections.abc import Sequence

from stages.evaluation.sweeps.points import Sweep
from stages.pages.figures import swept
from stages.pages.figures.figure import ChartFigure, Figure, PaperFigure
from stages.pages.figures.swept import FilledBySweep
from stages.pages.testsets import SampledTestSet
from stages.project import plugins

EACH = 3  # figures of one name at most: a project has many test sets
PAPERS = "stages.pages.figures.papers"


def named() -> list[PaperFigure]:
    """Every figure that a file in figures/papers declares, paper by paper."""
    papers = [plugins.find(PAPERS, name) for name in plugins.names(PAPERS)]
    return [figure for paper in sorted(papers, key=lambda paper: str(paper.PAPER)) for figure in paper.FIGURES]


def find(testsets: Sequence[SampledTestSet]) -> tuple[list[Figure], list[PaperFigure]]:
    """Every figure for which a test set has what it takes, large holes first, and those that none fills."""
    figures, awaited, declared = list[Figure](), list[PaperFigure](), named()
    ordered = sorted(testsets, key=lambda testset: -testset.hole_ratio)  # there methods differ most
    for one in declared:
        made = [figure for testset in ordered for figure in one.make(testset, one.name)] if one.make else []
        figures += made[:EACH]
        awaited += [] if made else [one]
    makes: list[object] = [one.make for one in declared]
    of_sweeps = [make for make in makes if isinstance(make, FilledBySweep)]
    return [*figures, *swept.find(ordered, of_sweeps)], awaited


def charted(sweeps: Sequence[Sweep]) -> list[ChartFigure]:
    """Every figure of charts for which a sweep has the scores."""
    return [
        ChartFigure(
            one.name, f"{one.name}: {one.shows}", f"Scores of the sweep {sweep.name}; bars are 95 % intervals.", charts
        )
        for one in named()
        for sweep in sweeps
        if one.draw and (charts := tuple(one.draw(sweep)))
    ]
