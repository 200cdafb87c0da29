"""The summary tables: estimates, intervals, what is best, and what is not there."""

import math

import pandas as pd
import pytest

from stages.contract import UserError
from stages.pages import markdown, results, scores, words

CARD = {"signature": "s", "dataset": "d", "samples": 2, "composite": True, "selection": "all", "out_of_domain": False}


def entry(row: str, metric: str, estimate: float, better: str, low: float = math.nan, high: float = math.nan) -> dict:
    own = {"method": row, "protocol": "box", "metric": metric, "estimate": estimate, "low": low, "high": high}
    return {**own, "better": better, "n": 30, "sources": 25, "k": 2}


def made(*entries: dict, absent: tuple[dict, ...] = (), **cards: dict) -> results.Scores:
    rows = {entry["method"]: {"box": {**CARD, "trained_on": [], **cards.get(entry["method"], {})}} for entry in entries}
    return results.Scores(pd.DataFrame(entries), rows, absent, (), ())


def test_the_best_is_the_highest_or_the_lowest_by_the_metrics_own_word() -> None:
    (table,) = scores.compare(
        made(
            *(
                entry(row, metric, value, better)
                for row, value in (("a", 1.0), ("b", 2.0))
                for metric, better in (("psnr", "higher"), ("l1", "lower"))
            )
        )
    )
    assert [[cell.best for cell in row.cells] for row in table.rows] == [[False, True], [True, False]]
    assert [column.arrow for column in table.columns] == ["↑", "↓"]
    assert not table.few


def test_one_row_alone_and_a_metric_without_direction_have_no_best() -> None:
    (table,) = scores.compare(made(entry("a", "psnr", 1.0, "higher")))
    assert not table.rows[0].cells[0].best
    (table,) = scores.compare(made(entry("a", "odd", 1.0, ""), entry("b", "odd", 2.0, "")))
    assert not any(row.cells[0].best for row in table.rows)


def test_what_is_trained_stands_above_the_floor() -> None:
    (table,) = scores.compare(
        made(entry("a", "psnr", 1.0, "higher"), entry("z", "psnr", 1.0, "higher"), z={"trained_on": ["d"]})
    )
    assert [row.name for row in table.rows] == ["z", "a"]


def test_an_absent_metric_is_a_dash_with_its_reason() -> None:
    absent = ({"method": "b", "protocol": "box", "metric": "lpips_vgg", "reason": "no weights"},)
    rows = [entry("a", "psnr", 1.0, "higher"), entry("b", "psnr", 1.0, "higher"), entry("a", "lpips_vgg", 0.5, "lower")]
    (table,) = scores.compare(made(*rows, absent=absent))
    cell = table.rows[1].cells[1]
    assert (cell.text, cell.value, cell.why) == ("–", None, "no weights")


def test_whiskers_share_the_columns_scale() -> None:
    (table,) = scores.compare(
        made(entry("a", "psnr", 12.0, "higher", 10.0, 14.0), entry("b", "psnr", 18.0, "higher", 16.0, 20.0))
    )
    a, b = (row.cells[0] for row in table.rows)
    assert (a.low, a.at, a.high, b.low, b.at, b.high) == (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    assert a.interval == "10.0 – 14.0"


def test_unlike_cards_are_refused() -> None:
    with pytest.raises(UserError, match="dataset"):
        scores.compare(made(entry("a", "psnr", 1.0, "higher"), entry("b", "psnr", 1.0, "higher"), b={"dataset": "e"}))


def test_one_answer_is_noted_and_the_holes_are_told_in_words() -> None:
    (table,) = scores.compare(made(entry("a", "collapsed", 1.0, ""), entry("a", "hole_ratio", 0.64, "")))
    assert table.columns == () and table.rows[0].notes == ("one answer",) and table.holes == "64%"


def test_markdown_has_a_cell_for_every_column() -> None:
    text = markdown.render(
        scores.compare(made(entry("a|b", "psnr", 1.0, "higher", 0.5, 1.5), entry("c", "l1", 2.0, "lower")))
    )
    lines = [line.replace("\\|", "") for line in text.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in lines} == {4}
    assert "1.00 [0.500 – 1.50]" in text


@pytest.mark.parametrize(
    ("value", "text"),
    [(26.71, "26.7"), (0.0612, "0.061"), (0.00004, "4.0e-05"), (0.0, "0.00"), (1234.5, "1,234"), (math.nan, "–")],
)
def test_figures_have_three_digits(value: float, text: str) -> None:
    assert words.number(value) == text


def test_an_unknown_metric_keeps_its_name() -> None:
    assert words.word("brand_new").label == "brand_new"
    assert words.word("lpips_alex").label == "LPIPS alex"
    assert (
        words.order("psnr") < words.order("lpips_alex") < words.order("diversity_all_alex") < words.order("brand_new")
    )
