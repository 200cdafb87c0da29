"""The first screen: who is best at what, how sure that is, and what is missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stages.evaluation.statistics import MIN_SOURCES
from stages.pages import answers
from stages.pages.answers import Front
from stages.pages.found import Found
from stages.pages.tables import compare
from stages.pages.tables.scores import Scores
from tests.pages import made
from tests.pages.tables.test_winners import apart, long

IMAGES = 60


def front(scores: Scores, **more: object) -> Front:
    tables = compare.compare(scores)
    one = answers.find(Found(Path(), scores, tables, [], [], "", [], of_project=True, **more))  # type: ignore[arg-type]
    assert one is not None
    return one


def a_value_an_image(values: dict[str, np.ndarray], sources: int) -> Scores:
    """PSNR of entries a value an image."""
    rows = [made.row(entry, "psnr", float(own.mean()), "higher", 0.0, 99.0) for entry, own in values.items()]
    scores = made.scores(*[{**row, "sources": sources} for row in rows])
    return Scores(scores.summary, scores.cards, (), (), (), long(values, sources).assign(protocol="box", card="c"))


def test_one_that_beats_all_others_is_sure() -> None:
    (answer,) = front(a_value_an_image(apart(1.0), 30)).answers
    assert answer.entry == "c" and answer.figure.startswith("PSNR ") and answer.figure.endswith(" dB")
    assert answer.sure == "beyond chance against every other row"


def test_one_that_is_not_told_apart_names_its_rivals() -> None:
    values = apart(1.0)
    values["d"] = values["c"] + np.random.default_rng(1).normal(0.05, 0.5, IMAGES)
    (answer,) = front(a_value_an_image(values, 30)).answers
    assert answer.entry == "d" and answer.sure == "not told apart from c"


def test_of_few_photographs_nothing_more_is_said() -> None:
    (answer,) = front(a_value_an_image(apart(5.0), MIN_SOURCES - 1)).answers
    assert answer.sure == f"too few photographs ({MIN_SOURCES - 1}) to say more"


@pytest.mark.parametrize(
    ("low", "sure"), [(3.9, "its interval overlaps with that of b"), (4.1, "its interval lies apart from all others")]
)
def test_values_of_a_whole_set_are_told_apart_by_intervals(low: float, sure: str) -> None:
    rows = [made.row("a", "fd_alexnet", 3.0, "lower", 2.0, 4.0), made.row("b", "fd_alexnet", 5.0, "lower", low, 6.0)]
    (answer,) = front(made.scores(*rows)).answers
    assert (answer.entry, answer.sure) == ("a", sure)


def test_every_group_speaks_by_its_first_column_alone() -> None:
    rows = [
        made.row(entry, metric, value, better)
        for entry, value in (("a", 1.0), ("b", 2.0))
        for metric, better in (
            ("psnr", "higher"),
            ("l1", "lower"),
            ("lpips_alex", "lower"),
            ("diversity_pixel", "higher"),
        )
    ]
    told = [(answer.what, answer.entry) for answer in front(made.scores(*rows)).answers]
    assert told == [
        (answers.HEADS["fidelity"], "b"),
        (answers.HEADS["perception"], "a"),
        (answers.HEADS["diversity"], "b"),
    ]


def test_a_protocol_of_no_paper_speaks_before_a_papers() -> None:
    rows = [made.row(entry, "psnr", value, "higher") for entry, value in (("a", 1.0), ("b", 2.0))]
    scores = made.scores(*rows)
    first = [{**row, "protocol": "p000-box"} for row in rows]
    cards = {entry: {"p000-box": own["box"], **own} for entry, own in scores.cards.items()}
    assert front(Scores(pd.DataFrame([*first, *rows]), cards, (), (), ())).protocol == "box"


def test_what_is_missing_is_told_with_the_way_to_it() -> None:
    rows = [made.row(entry, "psnr", value, "higher") for entry, value in (("a", 1.0), ("b/x", 2.0))]
    absent = tuple({"method": entry, "metric": "lpips_vgg", "protocol": "box", "reason": "r"} for entry in ("a", "b/x"))
    values = {"methods": {"a": {}, "b": {}, "dsi": {}, "external": {}}}
    scores = made.scores(*rows, absent=absent)
    found = Found(Path(), scores, compare.compare(scores), [], [], "", [], of_project=True, values=values)
    one = answers.find(found)
    assert one is not None and len(one.missing) == 2
    assert one.missing[0] == "dsi is not scored yet: dvc repro benchmark@dsi"
    assert one.missing[1].startswith("LPIPS vgg could not be had") and "plurifill doctor --fetch" in one.missing[1]


def test_without_scores_nothing_is_claimed() -> None:
    nothing = Scores(pd.DataFrame(columns=["protocol", "method"]), {}, (), (), ())
    assert answers.find(Found(Path(), nothing, [], [], [], "", [], of_project=True)) is None
