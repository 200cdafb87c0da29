"""The loss of high receptive field against its definition."""

from __future__ import annotations

import pytest
import torch

from stages.losses.hrf import hrf_loss

SHAPES = ((2, 3, 8, 8), (2, 5, 4, 4), (2, 7, 2, 3))


def maps_of(seed: int) -> list[torch.Tensor]:
    """Maps of small whole numbers, which bfloat16 holds exactly."""
    draw = torch.Generator().manual_seed(seed)
    return [torch.randint(-4, 5, shape, generator=draw).float() for shape in SHAPES]


def test_it_is_the_sum_over_maps_of_the_mean_squared_difference():
    """Whatever a map's size: a sum over values, or a mean over maps, is another number."""
    fake, real, expected = maps_of(0), maps_of(1), 0.0
    for fake_BChw, real_BChw in zip(fake, real, strict=True):
        squares = [
            (a - b) ** 2 for a, b in zip(fake_BChw.flatten().tolist(), real_BChw.flatten().tolist(), strict=True)
        ]
        expected += sum(squares) / len(squares)
    assert float(hrf_loss(fake, real)) == pytest.approx(expected)
    assert hrf_loss(fake, [map_BChw.clone() for map_BChw in fake]) == 0


def test_its_gradient_is_the_formulas_and_reaches_the_fake_maps_alone():
    fake, real = ([map_BChw.requires_grad_() for map_BChw in maps_of(seed)] for seed in (0, 1))
    hrf_loss(fake, real).backward()
    for fake_BChw, real_BChw in zip(fake, real, strict=True):
        torch.testing.assert_close(fake_BChw.grad, 2 * (fake_BChw - real_BChw).detach() / fake_BChw.numel())
        assert real_BChw.grad is None


def test_maps_of_less_precision_are_compared_in_float32_also_under_autocast():
    fake, real = ([map_BChw.bfloat16() for map_BChw in maps_of(seed)] for seed in (0, 1))
    with torch.autocast("cpu", torch.bfloat16):
        found = hrf_loss(fake, real)
    assert found.dtype == torch.float32 and torch.equal(found, hrf_loss(maps_of(0), maps_of(1)))


def test_maps_that_are_not_as_many_are_no_pair():
    with pytest.raises(ValueError, match="zip"):
        hrf_loss(maps_of(0), maps_of(1)[:2])
