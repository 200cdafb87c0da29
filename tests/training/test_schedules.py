"""Rates as functions of an optimiser's steps."""

from __future__ import annotations

import pytest

from stages.training.schedules import InversePower


def released(step: int, power: float) -> float:
    """The rate of a step (1 the first) as paper 001's code computes it, its power aside."""
    return 0.18 * 128**-0.5 * min(step**-power, step * 16_000**-1.5)


def test_the_papers_rate_rises_linearly_and_falls_as_the_square_root():
    rate = InversePower(lr=0.18 * (128 * 16_000) ** -0.5, warmup_steps=15_999)
    for step in (1, 2, 100, 15_999, 16_000, 16_001, 100_000, 1_000_000):
        assert rate.at(step - 1) == pytest.approx(released(step, 0.5), rel=1e-9)


def test_the_released_rate_is_the_same_rule_with_another_power():
    rate = InversePower(lr=3.69e-4, warmup_steps=46_899, decay_power=0.35)
    for step in (1, 10_000, 46_900, 200_000, 1_000_000):
        assert rate.at(step - 1) == pytest.approx(released(step, 0.35), rel=2e-3)


def test_a_power_of_zero_stays():
    rate = InversePower(lr=2.0, warmup_steps=1, decay_power=0.0)
    assert [rate.at(step) for step in (0, 1, 2, 1000)] == [1.0, 2.0, 2.0, 2.0]
