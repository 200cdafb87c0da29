"""The page of what Places2 would take is up to date, and its operations are counted rightly."""

from pathlib import Path

import pytest

from tests.papers import scale

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.long  # all parts of the papers' sizes
def test_the_page_is_up_to_date():
    assert (ROOT / scale.PAGE).read_text() == scale.render()  # else: python -m tests.papers.scale


def test_a_transformer_takes_six_operations_a_weight_and_token():
    """Two forward and four backward of a linear layer's weights, besides attention and the frozen vq's pass."""
    found = scale.cost("latent_codes", "prior")
    tokens, weights = 16 * 16 + 1, found.holds.gradients / 4
    assert 1.0 < found.operations / (6 * weights * tokens) < 1.4
    assert found.plan.loop.batch == 24
    assert [found.used(n) for n in (1, 8, 9, 23, 64)] == [1, 8, 8, 12, 24]
    assert found.computing(8) == pytest.approx(found.computing(1) / 8)
    assert found.sent(1) == 0 and found.sent(8) == pytest.approx(2 * 7 / 8 * found.holds.gradients)
    assert found.hours(1) == pytest.approx(found.plan.loop.steps * found.computing(1) / 3600)
    assert found.binds(64) == "the batch: work for 24; then sending"
