"""The scores of a results folder as one page and as markdown, in the words and shapes of the project's report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from stages.evaluation.external.score import ScoredFolder, declared
from stages.evaluation.results import Result
from stages.pages import page
from stages.pages.found import Found
from stages.pages.tables import markdown
from stages.pages.tables.compare import compare
from stages.pages.tables.scores import Scores
from stages.pages.testsets import SampledTestSet
from stages.project.files import write_text


def write(scored: ScoredFolder, output: Path) -> list[Path]:
    """`output`/index.html and `output`/scores.md."""
    found = read(scored, output)
    write_text(output / "index.html", page.render(found))
    write_text(output / "scores.md", markdown.render(found.tables))
    return [output / "index.html", output / "scores.md"]


def read(scored: ScoredFolder, output: Path) -> Found:
    """What a results folder gives of all that a page can show."""
    entry, scores = str(scored.results[0].entry), _scores(scored.results)
    reasons = {one["metric"]: one["reason"] for one in scores.absent}
    return Found(
        folder=output,
        scores=scores,
        tables=compare(scores),
        warnings=[(text, [entry]) for text in scored.warnings],
        absent=[(reason, [metric]) for metric, reason in reasons.items()],
        params=declared(scored.folders),
        testsets=[_sampled(scored)],
        of_project=False,
    )


def _scores(scored: Sequence[Result]) -> Scores:
    """Results as the report reads them from files."""
    absent = [
        {"method": str(one.entry), "protocol": one.protocol, "metric": metric, "reason": reason}
        for one in scored
        for metric, reason in one.absent.items()
    ]
    summary = pd.concat([one.summary for one in scored], ignore_index=True)
    cards = {str(scored[0].entry): {one.protocol: one.card.told() for one in scored}}
    long = pd.concat([one.long for one in scored], ignore_index=True)
    return Scores(summary, cards, absent, warnings=[], cost=[], long=long)


def _sampled(scored: ScoredFolder) -> SampledTestSet:
    """The folder as one of the test sets that a report shows."""
    testset = scored.testset
    positions = dict(zip(testset.keys, testset.chosen, strict=True))
    return SampledTestSet(
        testset.name, (scored.samples,), tuple(testset.keys), positions, testset.dataset, testset.masks
    )
