"""The scores of a results folder as one page and as markdown, in the words and shapes of the project's report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from stages import provenance
from stages.external.drawn import Drawn
from stages.pages import draws, grids, markdown, page, scores
from stages.samples.draws import Opened
from stages.samples.store import write_atomically
from stages.scoring.results import Result


def write_pages(
    scored: Sequence[Result], warnings: Sequence[str], opened: Opened, drawn: Drawn, declared: str, output: Path
) -> list[Path]:
    """`output`/index.html and `output`/scores.md; `declared` is what was said about the folders."""
    row, told = scored[0].row, read(scored)
    compared = scores.compare(told)
    content = page.Content(
        tables=compared,
        grids=[grids.grid(shown(opened, drawn))],
        trained=[],
        costs=[],
        datasets=[],
        draws=[],
        warnings=[(text, [row]) for text in warnings],
        absent=list({entry["metric"]: (entry["reason"], [entry["metric"]]) for entry in told.absent}.values()),
        origin=[("commit", provenance.commit()), *provenance.machine().items(), *provenance.versions().items()],
        params=declared,
    )
    write_atomically(output / "index.html", page.render(content).encode())
    write_atomically(output / "scores.md", markdown.render(compared).encode())
    return [output / "index.html", output / "scores.md"]


def read(scored: Sequence[Result]) -> scores.Scores:
    """Results as the report reads them from files."""
    absent = [
        {"method": one.row, "protocol": one.protocol, "metric": metric, "reason": reason}
        for one in scored
        for metric, reason in one.absent.items()
    ]
    summary = pd.concat([one.summary for one in scored], ignore_index=True)
    cards = {scored[0].row: {one.protocol: one.card.told() for one in scored}}
    return scores.Scores(summary, cards, absent, warnings=[], cost=[])


def shown(opened: Opened, drawn: Drawn) -> draws.Drawn:
    """The folder as one of the draws that a report shows."""
    positions = dict(zip(opened.keys, opened.chosen, strict=True))
    return draws.Drawn(opened.name, (drawn,), tuple(opened.keys), positions, opened.dataset, opened.masks)
