"""Scatter, sweeps and LaTeX: what is drawn or printed is what the numbers say."""

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages import tables
from stages.pages import latex, scatter, scores, sweeps
from tests.pages.test_scores import entry, made

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


def point(folder: Path, name: str, estimate: float, **parameters: float) -> None:
    row = {"method": "m", "protocol": "box", "card": "s", "metric": "psnr", "estimate": estimate, "low": estimate - 1}
    rest = {"high": estimate + 1, "std": 1.0, "n": 9, "sources": 9, "k": 2, "better": "higher"}
    tables.write(pd.DataFrame([{**row, **rest, **parameters}]), folder / name)


def test_one_parameter_is_a_line_and_two_are_a_grid(tmp_path: Path) -> None:
    for t in (0.5, 1.0, 2.0):
        point(tmp_path / "one", f"{t}", 20 + t, temperature=t)
        for s in (0.1, 0.9):
            point(tmp_path / "two", f"{t}-{s}", 20 + t + s, temperature=t, annealing=s)
    one, two = sweeps.read(tmp_path)
    assert (one.points, two.points) == (3, 6)
    (line,) = one.charts[0].lines
    assert [x for x, _, _ in line.dots] == [0.0, 100.0, 300.0]
    shares = [share for _, cells in two.heats[0].lines for _, share in cells]
    assert (min(shares), max(shares), len(shares)) == (0.0, 1.0, 6)
    assert sweeps.read(tmp_path / "nowhere") == []


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
