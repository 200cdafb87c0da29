"""The report's section on calibration: a curve an entry and space, and what they are called."""

from pathlib import Path

import numpy as np
import pandas as pd

from stages.pages import page
from stages.pages.drawings.reliability import SIDE
from stages.pages.found import Found
from stages.pages.section import Nothing
from stages.pages.sections import calibration
from stages.pages.tables.scores import Scores

COLUMNS = ("method", "protocol", "metric", "estimate", "low", "high")


def found(photographs: int = 40, **powers: float) -> Found:
    """Entries whose originals' ranks are uniform to a power: 1 calibrated, less too narrow, more too wide."""
    rng, rows = np.random.default_rng(0), []
    for entry, power in powers.items():
        ranks_NK = (np.floor(8 * rng.uniform(size=(photographs, 1)) ** power) + 0.5).repeat(8, axis=1) / 8
        rows += [(entry, f"i{i}", f"s{i}", k, rank) for (i, k), rank in np.ndenumerate(ranks_NK)]
    long = pd.DataFrame(rows, columns=["method", "image", "source", "k", "value"])
    long = long.assign(protocol="many", metric="calibration_pixel")
    long = long.astype(dict.fromkeys(("method", "protocol", "metric"), "category"))  # as they are read from files
    summary = [(entry, "many", "spread_skill_pixel", power, 0.5, 1.5) for entry, power in powers.items()]
    scores = Scores(pd.DataFrame(summary, columns=list(COLUMNS)), {}, (), (), (), long)
    return Found(Path(), scores, (), (), (), "", (), of_project=False)


def test_each_entry_is_called_what_its_ranks_say() -> None:
    content = calibration.content(found(a=1.0, b=0.3, c=3.0))
    assert not isinstance(content, Nothing)
    (judged,) = content["judged"]
    assert [(row.entry, row.word) for row in judged.rows] == [("a", "fits"), ("b", "too narrow"), ("c", "too wide")]
    assert judged.rows[2].ratio == "3.00 (0.500 to 1.50)" and judged.rows[0].error == "–"
    assert (judged.images, judged.photographs, judged.samples) == (40, 40, 8)


def test_a_curve_runs_from_corner_to_corner_within_its_band_below_the_diagonal_where_narrow() -> None:
    content = calibration.content(found(b=0.3))
    assert not isinstance(content, Nothing)
    (curve,) = content["judged"][0].drawings[0].curves
    points = [tuple(map(float, point.split(","))) for point in curve.points.split()]
    assert (points[0], points[-1]) == ((0.0, SIDE), (SIDE, 0.0)) and len(points) == 9
    assert all(SIDE - y < x for x, y in points[1:-1])  # y grows downwards
    assert len(curve.band.split()) == 2 * 7 + 2


def test_p_is_adjusted_over_the_protocols_rows() -> None:
    (alone,), (beside, *_) = (
        calibration.content(found(**powers))["judged"][0].rows  # type: ignore[index]
        for powers in ({"a": 0.7}, {"a": 0.7, "b": 1.0, "c": 1.0})
    )
    assert alone.rank == beside.rank and float(alone.p) < float(beside.p) <= 3.01 * float(alone.p)


def test_few_photographs_are_called_nothing_and_without_ranks_it_says_what_would_fill_it() -> None:
    content = calibration.content(found(photographs=19, b=0.3))
    assert not isinstance(content, Nothing)
    assert content["judged"][0].rows[0].word == "under 20 photographs: too few to say"
    empty = calibration.content(found())
    assert isinstance(empty, Nothing) and "calibration_pixel" in empty.why


def test_the_page_draws_it() -> None:
    html = page.render(found(a=1.0, b=0.3))
    section = html[html.index('<section id="calibration"') :]
    assert section.count("<polygon") == 2 and "too narrow" in section
