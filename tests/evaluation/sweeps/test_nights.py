"""Nights as they lie on the disk: in the order of their dates, measured alike, and named where they are none."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stages.contract import UserError
from stages.evaluation.sweeps import nights, points
from tests.evaluation.sweeps.made import ALPHA, CARD, finish

DATES = ("2026-01-02T030000Z", "2026-01-01T030000Z", "2026-01-03T150000Z")


def night(sweep: Path, date: str, psnr: float, samples: int = CARD.samples) -> None:
    finish(sweep / nights.FOLDER / date, "alpha=1", {ALPHA: 1.0}, psnr, card=replace(CARD, samples=samples))


def test_nights_are_curves_in_the_order_of_their_dates(tmp_path: Path) -> None:
    for number, date in enumerate(DATES):
        night(tmp_path / "sweep", date, 20.0 + number)
    found = nights.read_all(tmp_path)["sweep"]
    assert [path.name for path in nights.of(tmp_path / "sweep")] == sorted(DATES)
    own = found[found["metric"] == "psnr"].set_index("night")["estimate"]
    assert [day - 20454 for day in own.index] == [0.125, 1.125, 2.625]  # 2026-01-01 is day 20454
    assert np.diff(own) == pytest.approx([-1, 2], abs=0.2)  # the second date was made first


def test_nights_are_no_points_of_the_sweep(tmp_path: Path) -> None:
    finish(tmp_path / "sweep", "alpha=1", {ALPHA: 1.0}, 20)
    night(tmp_path / "sweep", DATES[0], 20.0)
    assert [sweep.name for sweep in points.read_all(tmp_path)] == ["sweep"]
    assert len(points.read(tmp_path / "sweep").points) == 1
    assert nights.read_all(tmp_path / "nowhere") == {}


def test_what_was_measured_otherwise_than_last_is_left_out(tmp_path: Path) -> None:
    for date, samples in zip(DATES, (2, 4, 2), strict=True):
        night(tmp_path / "sweep", date, 20.0, samples)
    curve = nights.curve(tmp_path / "sweep")
    assert sorted(set(curve["night"]) - set(nights.alike(curve)["night"])) == [20454.125]


def test_a_folder_that_is_no_date_is_named(tmp_path: Path) -> None:
    night(tmp_path / "sweep", "yesterday", 20.0)
    with pytest.raises(UserError, match=r"nights/yesterday: no night, which is a date as "):
        nights.curve(tmp_path / "sweep")
