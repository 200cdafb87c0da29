"""The summary tables: estimates, intervals, what is best, and what is not there."""

import math

import pytest

from stages.contract import UserError
from stages.pages import labels
from stages.pages.environment import told
from stages.pages.tables import latex, markdown
from stages.pages.tables.compare import compare
from tests.pages.made import row, scores


def test_the_best_is_the_highest_or_the_lowest_by_the_metrics_own_word() -> None:
    (table,) = compare(
        scores(
            *(
                row(entry, metric, value, better)
                for entry, value in (("a", 1.0), ("b", 2.0))
                for metric, better in (("psnr", "higher"), ("l1", "lower"))
            )
        )
    )
    assert [[cell.best for cell in own.cells] for own in table.rows] == [[False, True], [True, False]]
    assert [column.arrow for column in table.columns] == ["↑", "↓"]
    assert not table.few


def test_one_entry_alone_and_a_metric_without_direction_have_no_best() -> None:
    (table,) = compare(scores(row("a", "psnr", 1.0, "higher")))
    assert not table.rows[0].cells[0].best
    (table,) = compare(scores(row("a", "odd", 1.0, ""), row("b", "odd", 2.0, "")))
    assert not any(own.cells[0].best for own in table.rows)


def test_what_is_trained_stands_above_the_floor() -> None:
    (table,) = compare(
        scores(row("a", "psnr", 1.0, "higher"), row("z", "psnr", 1.0, "higher"), z={"trained_on": ["d"]})
    )
    assert [own.name for own in table.rows] == ["z", "a"]


def test_an_absent_metric_is_a_dash_with_its_reason() -> None:
    absent = ({"method": "b", "protocol": "box", "metric": "lpips_vgg", "reason": "no weights"},)
    rows = [row("a", "psnr", 1.0, "higher"), row("b", "psnr", 1.0, "higher"), row("a", "lpips_vgg", 0.5, "lower")]
    (table,) = compare(scores(*rows, absent=absent))
    cell = table.rows[1].cells[1]
    assert (cell.text, cell.value, cell.why) == ("–", None, "no weights")


def test_a_value_by_a_network_of_the_rows_own_losses_is_marked() -> None:
    metrics = (("psnr", "higher"), ("lpips_alex", "lower"), ("lpips_vgg", "lower"), ("fd_alexnet", "lower"))
    rows = [row(entry, metric, 0.5, better) for entry in ("a", "b") for metric, better in metrics]
    (table,) = compare(scores(*rows, a={"loss_networks": ["alexnet"]}))
    marked = {one.name: [bool(cell.trainer) for cell in one.cells] for one in table.rows}
    assert [column.metric for column in table.columns] == ["psnr", "lpips_alex", "lpips_vgg", "fd_alexnet"]
    assert marked == {"a": [False, True, False, True], "b": [False] * 4}
    note = "† by a network that the row's own training loss read: alexnet."
    assert table.trainers == note and note in markdown.render([table]) and markdown.render([table]).count("†") == 3
    assert latex.render([table]).count(r"$^{\dagger}$") == 3
    (other,) = compare(scores(*rows, a={"loss_networks": ["squeezenet"]}))
    assert other.trainers == "" and "†" not in markdown.render([other])


def test_an_entry_whose_raw_output_has_the_known_pixels_by_design_says_so_beside_its_name() -> None:
    rows = [row(entry, "psnr", 1.0, "higher") for entry in ("a", "b")]
    (table,) = compare(scores(*rows, a={"raw": "a composite plus a correction"}))
    assert {one.name: one.notes for one in table.rows} == {"a": ("raw is a composite plus a correction",), "b": ()}
    assert "raw" not in table.card


def test_whiskers_share_the_columns_scale() -> None:
    (table,) = compare(
        scores(row("a", "psnr", 12.0, "higher", 10.0, 14.0), row("b", "psnr", 18.0, "higher", 16.0, 20.0))
    )
    a, b = (own.cells[0] for own in table.rows)
    assert (a.low, a.at, a.high, b.low, b.at, b.high) == (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    assert a.interval == "10.0 – 14.0"


def test_unlike_cards_are_refused() -> None:
    with pytest.raises(UserError, match="dataset"):
        compare(scores(row("a", "psnr", 1.0, "higher"), row("b", "psnr", 1.0, "higher"), b={"dataset": "e"}))


def test_one_answer_is_noted_and_the_holes_are_told_in_words() -> None:
    (table,) = compare(scores(row("a", "collapsed", 1.0, ""), row("a", "hole_ratio", 0.64, "")))
    assert table.columns == () and table.rows[0].notes == ("one answer",) and table.holes == "64%"


def test_the_card_tells_by_entry_what_was_drawn_before_pixels_and_only_where_something_was() -> None:
    rows = [row(entry, "psnr", 1.0, "higher") for entry in ("a", "b", "c")]
    drawn = {"a": {"latents": {"structures": "1234"}}, "c": {"latents": {"structures": "1234"}}}
    (plain,), (table,) = compare(scores(*rows)), compare(scores(*rows, **drawn))
    assert table.card == {**plain.card, "latents": {"a": {"structures": "1234"}, "c": {"structures": "1234"}}}
    assert told(table.card["latents"]) == "a structures 1234, c structures 1234"


def test_markdown_has_a_cell_for_every_column() -> None:
    text = markdown.render(compare(scores(row("a|b", "psnr", 1.0, "higher", 0.5, 1.5), row("c", "l1", 2.0, "lower"))))
    lines = [line.replace("\\|", "") for line in text.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in lines} == {4}
    assert "1.00 [0.500 – 1.50]" in text


@pytest.mark.parametrize(
    ("value", "text"),
    [(26.71, "26.7"), (0.0612, "0.061"), (0.00004, "4.0e-05"), (0.0, "0.00"), (1234.5, "1,234"), (math.nan, "–")],
)
def test_numbers_have_three_digits(value: float, text: str) -> None:
    assert labels.number(value) == text


def test_an_unknown_metric_keeps_its_name() -> None:
    assert labels.label("brand_new").text == "brand_new"
    assert labels.label("lpips_alex").text == "LPIPS alex"
    assert (
        labels.order("psnr")
        < labels.order("lpips_alex")
        < labels.order("diversity_all_alex")
        < labels.order("brand_new")
    )


@pytest.mark.parametrize("text", ["50% & more_#1", r"\input{x}", "a~b^c{}$"])
def test_latex_shows_any_name_and_runs_none(text: str) -> None:
    escaped = latex.escape(text)
    for command in ("\\textbackslash{}", "\\textasciitilde{}", "\\textasciicircum{}"):
        escaped = escaped.replace(command, "")
    bare = [a for a, b in zip(escaped, " " + escaped, strict=False) if a in "&%$#_{}~^" and b != "\\"]
    assert bare == [] and "\\input" not in escaped


def test_latex_has_a_cell_for_every_column_and_stars_the_winner() -> None:
    told = scores(row("a_1", "psnr", 1.0, "higher", 0.5, 1.5), row("b", "psnr", 2.0, "higher"))
    text = latex.render(compare(told))
    lines = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert [line.count(" & ") for line in lines] == [1, 1, 1]
    assert r"a\_1" in text and r"\textbf{2.00}" in text and "$^{*}$" not in text
    assert text.count(r"\toprule") == 1
