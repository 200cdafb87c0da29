"""Scores by night in the report: a line an entry, a dot a date; what is measured otherwise is no part of the line."""

from dataclasses import replace
from pathlib import Path

from stages.evaluation.sweeps import nights as kept
from stages.pages.environment import environment
from stages.pages.found import Found
from stages.pages.section import Nothing
from stages.pages.sections import nights
from stages.pages.tables import scores
from tests.evaluation.sweeps.made import ALPHA, CARD, finish


def content(folder: Path):
    nothing = scores.read(folder / "nowhere")
    return nights.content(Found(folder, nothing, [], [], [], "", [], of_project=True, nights=kept.read_all(folder)))


def night(folder: Path, day: int, psnr: float, **card: int) -> None:
    place = folder / "benchmark" / kept.FOLDER / f"2026-11-{day:02d}T030000Z"
    for point in ("dataset=a", "dataset=b"):
        finish(place, point, {ALPHA: 1.0}, psnr, rows=("one", "two"), card=replace(CARD, **card))


def test_every_entry_has_a_dot_a_night_in_the_order_of_the_dates(tmp_path: Path) -> None:
    for day, psnr in ((1, 20.0), (5, 22.0), (3, 21.0)):
        night(tmp_path, day, psnr)
    (trend,) = content(tmp_path)["trends"]
    assert (trend.name, trend.nights, trend.first, trend.last) == ("benchmark", 3, "2026-11-01", "2026-11-05")
    assert [point for point, _ in trend.points] == ["dataset=a", "dataset=b"]
    for _, charts in trend.points:
        chart = next(one for one in charts if one.metric == "PSNR")
        assert [text for _, text in chart.x_ticks] == ["2026-11-01", "2026-11-03", "2026-11-05"]
        assert [line.entry for line in chart.lines] == ["one", "two"]
        for line in chart.lines:
            assert [x for x, _, _ in line.dots] == [0.0, 150.0, 300.0]
            assert [y for _, y, _ in line.dots] == sorted(
                (y for _, y, _ in line.dots), reverse=True
            )  # better is higher
    page = environment().get_template("nights.html.jinja").render({"trends": [trend]})
    assert "3 nights from 2026-11-01 to 2026-11-05" in page and "at 2026-11-03</title>" in page


def test_a_night_under_another_card_is_no_dot(tmp_path: Path) -> None:
    for day, images in ((1, 20), (2, 40), (3, 40)):
        night(tmp_path, day, 20.0 + day, images=images)
    (trend,) = content(tmp_path)["trends"]
    assert trend.nights == 3
    assert {len(line.dots) for _, charts in trend.points for chart in charts for line in chart.lines} == {2}


def test_dates_along_the_axis_stand_apart(tmp_path: Path) -> None:
    for day in (1, 2, 3, 4, 6, 9, 12):
        night(tmp_path, day, 20.0 + day / 10)
    (trend,) = content(tmp_path)["trends"]
    assert [text[-2:] for _, text in trend.points[0][1][0].x_ticks] == ["01", "06", "12"]


def test_without_nights_it_says_how_to_have_some_and_one_is_no_line(tmp_path: Path) -> None:
    told = content(tmp_path)
    assert isinstance(told, Nothing) and "--nightly" in told.why
    night(tmp_path, 1, 20.0)
    (trend,) = content(tmp_path)["trends"]
    assert trend.nights == 1 and not any(charts for _, charts in trend.points)
