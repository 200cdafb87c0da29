"""Scatter, sweeps and LaTeX: what is drawn or printed is what the numbers say."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.pages import latex, scatter, scores, sweeps
from tests.pages.test_scores import entry, made
from tests.sweeps.made import finish

POINTS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=8)


@given(POINTS)
def test_every_point_off_the_front_is_beaten_by_one_on_it(points: list[tuple[int, int]]) -> None:
    front = scatter.pareto(points)
    assert front
    for i, (x, y) in enumerate(points):
        beaten = [j for j in front if points[j] != (x, y) and points[j][0] >= x and points[j][1] >= y]
        assert (i in front) != bool(beaten)


@given(st.lists(st.tuples(st.floats(0, 460), st.floats(0, 300)), max_size=8))
def test_no_label_lies_on_another(spots: list[tuple[float, float]]) -> None:
    heights = scatter.spread([(x, y, "row") for x, y in spots])
    for i, a in enumerate(heights):
        assert a >= spots[i][1]
        sides = [x > scatter.LEFTWARDS * scatter.WIDTH for x, _ in spots]
        near = [j for j in range(i) if sides[j] == sides[i] and abs(spots[j][0] - spots[i][0]) < 20]
        assert all(abs(heights[j] - a) > scatter.APART - 1e-6 for j in near)


def test_better_is_up_whichever_way_the_metric_counts() -> None:
    told = made(
        *(
            entry(row, metric, value, better)
            for row, lpips, diversity in (("good", 0.1, 0.2), ("bad", 0.9, 0.1))
            for metric, value, better in (("lpips_alex", lpips, "lower"), ("diversity_pixel", diversity, "higher"))
        )
    )
    (table,) = scores.compare(told)
    drawn = scatter.draw(told.summary, table)
    assert drawn is not None
    dots = {dot.row: dot for dot in drawn.dots}
    assert dots["good"].y < dots["bad"].y and dots["good"].x > dots["bad"].x
    assert dots["good"].front and not dots["bad"].front


def test_one_number_is_a_line_two_keys_are_a_grid_and_words_are_a_table(tmp_path: Path) -> None:
    for t in (0.5, 1.0, 2.0):
        finish(tmp_path / "one", f"{t}", {"inpaint.temperature": t}, 20 + t)
        for s in (0.1, 0.9):
            finish(tmp_path / "two", f"{t}-{s}", {"inpaint.temperature": t, "inpaint.annealing": s}, 20 + t + s)
    for word in ("none", "mask"):
        finish(tmp_path / "words", word, {"encoder.restrict": word}, 20)
    one, two, words = sweeps.read(tmp_path, {"inpaint": {"temperature": 1.0}})
    assert (one.points, two.points, words.points) == (3, 6, 2)
    (line,) = one.charts[0].lines
    assert [x for x, _, _ in line.dots] == [0.0, 100.0, 300.0]
    assert all(top < y < bottom for (_, y, _), (_, top, bottom) in zip(line.dots, line.bars, strict=True))
    shares = [share for _, cells in two.heats[0].lines for _, share in cells]
    assert (min(shares), max(shares), len(shares)) == (0.0, 1.0, 6)
    assert not words.charts and not words.heats and words.tables[0].heads[0] == "restrict"
    assert sweeps.read(tmp_path / "nowhere", {}) == []


def test_a_list_of_points_that_do_not_set_all_keys_is_no_grid(tmp_path: Path) -> None:
    for name, overrides in {
        "a": {"encoder.kind": "x"},
        "b": {"encoder.kind": "y"},
        "c": {"encoder.kind": "y", "encoder.mask": True},
    }.items():
        finish(tmp_path / "list", name, overrides, 20)
    (one,) = sweeps.read(tmp_path, {})
    assert one.parameters == ("kind", "mask") and not one.charts and not one.heats
    assert [values for _, values, _ in one.tables[0].lines] == [("x", "–"), ("y", "–"), ("y", "True")]


def test_a_sweeps_table_tells_the_difference_from_what_params_sets(tmp_path: Path) -> None:
    for t in (0.5, 1.0):
        finish(tmp_path / "one", f"{t}", {"inpaint.temperature": t}, 20 + t)
    (one,) = sweeps.read(tmp_path, {"inpaint": {"temperature": 1.0}})
    (cold, _, figures), (warm, _, reference) = one.tables[0].lines
    assert (one.reference, cold, warm) == ("1.0", "0.5", "1.0")
    assert figures[0].difference.startswith("-0.") and figures[0].difference.endswith("*")
    assert reference[0].difference == "" and "40 images" in figures[0].why


@pytest.mark.parametrize("text", ["50% & more_#1", r"\input{x}", "a~b^c{}$"])
def test_latex_shows_any_name_and_runs_none(text: str) -> None:
    escaped = latex.escape(text)
    for command in ("\\textbackslash{}", "\\textasciitilde{}", "\\textasciicircum{}"):
        escaped = escaped.replace(command, "")
    bare = [a for a, b in zip(escaped, " " + escaped, strict=False) if a in "&%$#_{}~^" and b != "\\"]
    assert bare == [] and "\\input" not in escaped


def test_latex_has_a_cell_for_every_column_and_stars_the_winner() -> None:
    told = made(entry("a_1", "psnr", 1.0, "higher", 0.5, 1.5), entry("b", "psnr", 2.0, "higher"))
    text = latex.render(scores.compare(told))
    rows = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert [line.count(" & ") for line in rows] == [1, 1, 1]
    assert r"a\_1" in text and r"\textbf{2.00}" in text and "$^{*}$" not in text
    assert text.count(r"\toprule") == 1
