"""Drawings of training: what is drawn lies where its numbers say."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.pages.drawings import axes, curves

COLUMNS = ["step", "images", "split", "name", "value"]


def frame(*rows: tuple[int, str, str, float]) -> pd.DataFrame:
    return pd.DataFrame(
        [(images // 8, images, split, name, value) for images, split, name, value in rows], columns=COLUMNS
    )


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
def test_ticks_enclose_the_range_evenly(low: float, span: float) -> None:
    ticks = axes.nice(low, low + span)
    assert 2 <= len(ticks) <= 7
    assert ticks[0] <= low + 1e-6 * span and ticks[-1] >= low + span - 1e-6 * span


def test_a_line_starts_and_ends_where_its_values_are() -> None:
    (curve,) = curves.draw(frame((0, "val", "loss", 4.0), (80, "val", "loss", 3.0), (160, "val", "loss", 2.0)))
    assert curve.val == "0.0,0.0 150.0,60.0 300.0,120.0"
    assert curve.y_ticks[0] == (120.0, "2") and curve.y_ticks[-1] == (0.0, "4")
    assert curve.last == "2.00"


def test_an_untrained_value_far_off_does_not_flatten_the_rest() -> None:
    rows = [(0, "val", "loss", 1000.0), *((80 * i, "val", "loss", 5.0 - i) for i in range(1, 4))]
    (curve,) = curves.draw(frame(*rows))
    assert float(curve.y_ticks[-1][1]) == 4.0


def test_what_never_changes_is_not_drawn_and_val_comes_first() -> None:
    rows = [(8 * i, "train", "loss", float(i)) for i in range(3)] + [(8 * i, "val", "psnr", float(i)) for i in range(3)]
    drawn = curves.draw(frame(*rows, (0, "val", "kept", 0.5), (16, "val", "kept", 0.5)))
    assert [curve.name for curve in drawn] == ["psnr", "loss"]


def test_a_value_that_is_not_finite_is_left_out() -> None:
    rows = frame((0, "val", "x", 1.0), (8, "val", "x", float("nan")), (16, "val", "x", 2.0))
    assert "nan" not in curves.draw(rows)[0].val


@pytest.mark.parametrize(("count", "text"), [(0, "0"), (950, "950"), (12_300, "12.3k"), (3_400_000, "3.4M")])
def test_counts_are_short(count: int, text: str) -> None:
    assert axes.short(count) == text
